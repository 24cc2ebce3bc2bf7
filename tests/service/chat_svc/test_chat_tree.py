"""Messages form a tree, of which one branch is chosen."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from uuid import UUID

import grpc
import pytest

from runtime.errors import Aborted
from scenemesh.chat.v1 import chat_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person, Replica
from tests.service.chat_svc.trees import NO_MESSAGE, NOWHERE, Desk, desk, refusal
from tests.unit.chat_svc.messages import ANSWER

ANSWERING = (
    grpc.StatusCode.ABORTED,
    "ANSWER_IN_PROGRESS",
    "The character is still answering in this conversation: wait for the end, or stop it.",
)


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def test_a_branch_is_chosen_at_the_newest_message_of_it(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    first, answer, more = await hers.line(conversation, "One", "Two", "Three")
    other = await hers.say(conversation, first, "Another", "character")
    assert (await hers.choose(answer)).current_message == more
    assert [one.name for one in await hers.pages(conversation)] == [first, answer, more]
    assert (await hers.choose(other)).current_message == other
    assert (await hers.choose(first)).current_message == other
    assert [(one.sibling_number, one.sibling_count) for one in await hers.pages(conversation)] == [(1, 1), (2, 2)]


async def test_a_message_is_deleted_with_all_that_was_said_after_it(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    first, answer, _ = await hers.line(conversation, "One", "Two", "Three")
    await hers.say(conversation, answer, "Other three")
    left = await hers.delete(answer)
    assert (left.current_message, left.message_count) == (first, 1)
    assert await hers.delete(answer) == left
    assert await refusal(hers.get(answer)) == NO_MESSAGE
    assert [one.name for one in await hers.pages(conversation, all_branches=True)] == [first]
    empty = await hers.delete(first)
    assert (empty.current_message, empty.message_count) == ("", 0)


async def test_after_a_deletion_its_last_sibling_goes_on(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    first, answer, more = await hers.line(conversation, "One", "Two", "Three")
    other = await hers.say(conversation, first, "Another", "character")
    assert (await hers.delete(other)).current_message == more
    assert (await hers.get(answer)).sibling_count == 1


async def test_deleting_what_is_not_on_the_chosen_branch_leaves_that_alone(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    first, answer = await hers.line(conversation, "One", "Two")
    other = await hers.say(conversation, first, "Another", "character")
    left = await hers.delete(answer)
    assert (left.current_message, left.message_count) == (other, 2)


async def test_a_conversation_goes_on_from_the_branch_that_was_chosen(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    first, answer = await hers.line(conversation, "One", "Two")
    await hers.say(conversation, first, "Another", "character")
    await hers.choose(answer)
    started = (await hers.person.turn(conversation, "Three"))[0].started
    assert started.user_message.parent == answer


async def test_a_live_answer_stays_until_it_is_stopped(hers: Desk, fake: FakeProvider) -> None:
    conversation = await hers.person.conversation()
    (earlier,) = await hers.line(conversation, "Earlier")
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(conversation)) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        question = started.started.user_message.name
        assert (await hers.get(started.message)).text == "Elem"
        assert await refusal(hers.delete(question)) == ANSWERING
        assert await refusal(hers.delete(started.message)) == ANSWERING
        assert await refusal(hers.choose(earlier)) == ANSWERING
        await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))
    left = await hers.delete(question)
    assert (left.current_message, left.message_count) == (earlier, 1)


async def test_another_branch_can_be_deleted_during_an_answer(hers: Desk, fake: FakeProvider) -> None:
    conversation = await hers.person.conversation()
    (first,) = await hers.line(conversation, "One")
    other = await hers.say(conversation, "", "Another beginning")
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(conversation)) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        left = await hers.delete(first)
        assert (left.current_message, left.message_count) == (started.message, 3)
        assert started.started.user_message.parent == other
        await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))


async def test_what_is_not_theirs_does_not_exist_for_anybody(hers: Desk, first: Replica, database: str) -> None:
    (message,) = await hers.line(await hers.person.conversation(), "One")
    nowhere = f"{NOWHERE}/messages/{message.split('/')[3]}"
    async with desk(first.person("bob"), "bob", database) as his:
        for name in (message, nowhere):
            assert await refusal(his.get(name)) == NO_MESSAGE
            assert await refusal(his.choose(name)) == NO_MESSAGE
            assert await refusal(his.delete(name)) == NO_MESSAGE
            assert await refusal(his.fork(name)) == NO_MESSAGE
            assert await refusal(his.update(name, pinned=True)) == NO_MESSAGE
    await hers.delete(message)
    async with desk(first.person("bob"), "bob", database) as his:
        assert await refusal(his.delete(message)) == NO_MESSAGE


async def test_nothing_is_said_after_what_was_deleted_meanwhile(hers: Desk, first: Replica) -> None:
    name = await hers.person.conversation()
    (message,) = await hers.line(name, "One")
    await hers.delete(message)
    conversation, gone = UUID(name.split("/")[1]), UUID(message.split("/")[3])
    answer = replace(ANSWER, conversation=conversation, parent=gone)
    with pytest.raises(Aborted) as caught:
        await first.parts.answers.begin(None, answer, None)
    assert caught.value.reason == "CONVERSATION_CHANGED"


async def test_a_long_branch_is_deleted_and_chosen_like_a_short_one(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    names = await hers.line(conversation, *["…"] * 1_000)
    other = await hers.say(conversation, "", "Another beginning")
    assert (await hers.choose(names[0])).current_message == names[-1]
    assert len(await hers.pages(conversation, size=100)) == 1_000
    assert (await hers.delete(names[0])).current_message == other


async def test_of_many_changes_at_once_none_is_lost(hers: Desk) -> None:
    conversation = await hers.person.conversation()
    (root,) = await hers.line(conversation, "One")
    answers = [await hers.say(conversation, root, f"{place}", "character") for place in range(8)]
    await asyncio.gather(*[hers.delete(one) for one in answers[:6]], *[hers.choose(root) for _ in range(4)])
    left = await hers.conversation(conversation)
    assert (left.current_message, left.message_count) == (answers[-1], 3)


@dataclass
class Expected:
    """What a conversation must be: the parent of each message, oldest first, and the last one of the branch."""

    parents: dict[str, str] = field(default_factory=dict)
    current: str = ""

    def subtree(self, name: str) -> list[str]:
        """The message and what was said after it, oldest first."""
        members = [name]
        for one, parent in self.parents.items():
            if parent in members:
                members.append(one)
        return members

    def delete(self, name: str) -> None:
        parent, gone = self.parents[name], self.subtree(name)
        for one in gone:
            del self.parents[one]
        if self.current in gone:
            siblings = [one for one, before in self.parents.items() if before == parent]
            self.current = self.subtree(siblings[-1])[-1] if siblings else parent

    def branch(self) -> list[str]:
        names = []
        at = self.current
        while at:
            names.append(at)
            at = self.parents[at]
        return names[::-1]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_the_tree_stays_one(hers: Desk, seed: int) -> None:
    chance = random.Random(seed)
    expected = {await hers.person.conversation(): Expected()}
    for _ in range(40):
        name, tree = chance.choice(list(expected.items()))
        names = list(tree.parents)
        match chance.choice(["say", "say", "say", "choose", "delete", "fork"]):
            case "choose" if names:
                at = chance.choice(names)
                tree.current = tree.subtree(at)[-1]
                await hers.choose(at)
            case "delete" if names:
                at = chance.choice(names)
                tree.delete(at)
                await hers.delete(at)
            case "fork" if names and len(expected) < 4:
                at, every = chance.choice(names), chance.random() < 0.5
                new = await hers.fork(at, all_branches=every)
                expected[new.name] = await _copied(hers, new, tree, at, every)
            case _:
                after = chance.choice(["", *names])
                tree.current = await hers.say(name, after, role=chance.choice(["user", "character"]))
                tree.parents[tree.current] = after
    for name, tree in expected.items():
        kept = await hers.conversation(name)
        assert (kept.current_message, kept.message_count) == (tree.current, len(tree.parents))
        assert {one.name: one.parent for one in await hers.pages(name, all_branches=True)} == tree.parents
        assert [one.name for one in await hers.pages(name)] == tree.branch()
        assert tree.current not in tree.parents.values()


async def _copied(hers: Desk, new: chat_pb2.Conversation, tree: Expected, at: str, every: bool) -> Expected:
    """The fork as it must be, with the names that it has."""
    source = Expected(dict(tree.parents), at)
    names = list(tree.parents)
    taken = names[: names.index(at) + 1] if every else source.branch()
    copies = {
        "": "",
        **dict(zip(taken, [one.name for one in await hers.pages(new.name, all_branches=True)], strict=True)),
    }
    return Expected({copies[one]: copies[tree.parents[one]] for one in taken}, copies[at])
