"""Summaries of messages that change while they are summarised, and of conversations that begin long."""

import asyncio
import json
import re
from collections.abc import Sequence
from uuid import UUID

import pytest

from runtime.postgres import pool
from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc, chat_pb2
from services.chat_svc.domain.aside import Aside
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.ending import estimated_tokens
from services.chat_svc.domain.wording import EARLIER, LEFT_OUT
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.summarising import STEPS_MAX
from services.chat_svc.store import MIGRATIONS, SCHEMA, Conversations
from services.chat_svc.store.transcripts import Transcripts
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CHARACTER, Person, Replica, eventually
from tests.service.chat_svc.siblings import CONTEXT_TOKENS, FakeQuota
from tests.service.chat_svc.told import in_time, looked_up, texts, titled

# Of what a prompt may have here, about a fifth.
LONG = "word " * 640
LINES = 5_000
LINE = re.compile(r"\bLine (\d+)\b")


class Held:
    """Summaries as they are made: what a model said is used once the test lets it go, and `kept` tells of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = asyncio.Event()
        self.kept: list[bool] = []
        asked, kept = Asking.ask, Transcripts.summarise

        async def ask(asking: Asking, aside: Aside) -> str:
            said = await asked(asking, aside)
            await self.go.wait()
            return said

        async def summarise(
            transcripts: Transcripts, conversation: Conversation, summary: str, covered: Sequence[Message]
        ) -> bool:
            self.kept.append(await kept(transcripts, conversation, summary, covered))
            return self.kept[-1]

        monkeypatch.setattr(Asking, "ask", ask)
        monkeypatch.setattr(Transcripts, "summarise", summarise)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


async def _filled(alice: Person, fake: FakeProvider, quota: FakeQuota) -> str:
    """A conversation whose first turns are being summarised."""
    quota.left = 30
    conversation = await titled(alice)
    fake.otherwise = Behaviour(answer=["Yes."])
    fake.script_asides(Behaviour(answer=["They met."]), Behaviour(answer=["They met in another way."]))
    for turn in range(4):
        await alice.turn(conversation, f"{turn}: {LONG}")
    await eventually(lambda: len(fake.asides) == 1)
    return conversation


async def _edit(alice: Person, message: chat_pb2.Message, text: str) -> None:
    change = chat_pb2.Message(name=message.name, text=text)
    request = chat_pb2.UpdateMessageRequest(message=change, update_mask={"paths": ["text"]})
    await alice.stub.UpdateMessage(request, metadata=alice.metadata)


@pytest.mark.parametrize("place", [0, 1])
async def test_a_summary_of_what_was_edited_while_it_was_made_is_not_kept(
    alice: Person, fake: FakeProvider, quota: FakeQuota, held: Held, place: int
) -> None:
    conversation = await _filled(alice, fake, quota)
    await _edit(alice, (await alice.messages(conversation))[place], f"Changed. {LONG}")
    held.go.set()
    await eventually(lambda: held.kept == [False])
    assert (await looked_up(alice, conversation)).summary == ""
    await alice.turn(conversation, "And now?")
    assert not any(EARLIER in text for text in texts(fake.requests[-1]))
    await eventually(lambda: held.kept == [False, True])
    assert "Changed." in texts(fake.asides[1])[0]
    assert (await looked_up(alice, conversation)).summary == "They met in another way."


async def test_what_was_edited_behind_a_summary_while_it_was_made_does_not_harm_it(
    alice: Person, fake: FakeProvider, quota: FakeQuota, held: Held
) -> None:
    conversation = await _filled(alice, fake, quota)
    await _edit(alice, (await alice.messages(conversation))[-1], "No.")
    held.go.set()
    await eventually(lambda: held.kept == [True])
    assert (await looked_up(alice, conversation)).summary == "They met."


async def test_a_summary_of_what_was_deleted_while_it_was_made_is_not_kept(
    alice: Person, fake: FakeProvider, quota: FakeQuota, held: Held
) -> None:
    conversation = await _filled(alice, fake, quota)
    first = (await alice.messages(conversation))[0]
    await alice.stub.DeleteMessage(chat_pb2.DeleteMessageRequest(name=first.name), metadata=alice.metadata)
    held.go.set()
    await eventually(lambda: held.kept == [False])
    assert (await looked_up(alice, conversation)).summary == ""


async def test_a_branch_that_is_begun_while_another_is_summarised_is_told_itself(
    alice: Person, fake: FakeProvider, quota: FakeQuota, held: Held
) -> None:
    conversation = await _filled(alice, fake, quota)
    first, *_, last = await alice.messages(conversation)
    request = chat_pb2.RewriteMessageRequest(name=first.name, text="Otherwise?")
    _ = [event async for event in alice.stub.RewriteMessage(request, metadata=alice.metadata)]
    held.go.set()
    await eventually(lambda: held.kept == [True])
    await alice.turn(conversation, "And now?")
    assert texts(fake.requests[-1]) == ["Otherwise?", "Yes.", "And now?"]
    await alice.stub.ChooseBranch(chat_pb2.ChooseBranchRequest(name=last.name), metadata=alice.metadata)
    await alice.turn(conversation, "And here?")
    assert texts(fake.requests[-1])[0].startswith(f"{EARLIER}\n<summary>They met.</summary>\n\n")


async def test_who_looked_at_a_conversation_before_an_edit_is_not_told_its_summary_any_more(
    alice: Person, database: str, fake: FakeProvider, quota: FakeQuota, held: Held
) -> None:
    held.go.set()
    name = await _filled(alice, fake, quota)
    await eventually(lambda: held.kept == [True])
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        identifier = UUID(name.removeprefix("conversations/"))
        before = await Conversations(connections).conversation("alice", identifier)
        transcripts = Transcripts(connections)
        summarised = await transcripts.branch(before, before.current, 100, 100_000)
        await _edit(alice, (await alice.messages(name))[0], "Changed.")
        edited = await transcripts.branch(before, before.current, 100, 100_000)
    assert (before.summary, summarised.summary, edited.summary) == ("They met.", "They met.", "")
    assert (edited.messages[0].text, edited.before, len(edited.messages)) == ("Changed.", None, 8)


async def _brought(first: Replica, person: Person) -> str:
    """A conversation of many short lines that was held elsewhere."""
    said = [
        {
            "name": f"{number}",
            "parent": f"{number - 1}" if number else None,
            "role": "character" if number % 2 else "user",
            "text": f"Line {number} of a long talk about a hound on the moor.",
            "state": "complete",
        }
        for number in range(LINES)
    ]
    told = {"format": "scenemesh.conversation", "version": 1, "title": "Long", "character": CHARACTER}
    stub = archive_pb2_grpc.ArchiveServiceStub(first.dial("edge"))
    bring = archive_pb2.ImportConversationsRequest(
        format=archive_pb2.IMPORT_FORMAT_JSON, content=json.dumps({**told, "messages": said}).encode()
    )
    (taken,) = (await stub.ImportConversations(bring, metadata=person.metadata)).conversations
    return taken.name


def _lines(told: Sequence[str]) -> list[int]:
    return [int(number) for text in told for number in LINE.findall(text)]


async def test_a_conversation_that_is_long_from_the_beginning_is_summarised_step_by_step(
    first: Replica, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 1_000
    fake.otherwise, fake.aside = Behaviour(answer=["Yes."]), Behaviour(answer=["So far, so good."])
    conversation, turns = await _brought(first, alice), 0

    async def caught_up() -> bool:
        nonlocal turns
        turns += 1
        await alice.turn(conversation, "And then?")
        return LEFT_OUT not in "".join(texts(fake.requests[-1]))

    assert not await caught_up()
    assert _lines(texts(fake.requests[0]))[-1] == LINES - 1
    await in_time(caught_up)
    retold = [texts(one)[0] for one in fake.asides]
    told = texts(fake.requests[-1])
    assert told[0].startswith(f"{EARLIER}\n<summary>So far, so good.</summary>\n\n")
    assert _lines([*retold, *told]) == list(range(LINES))
    assert [one.startswith("<summary>So far, so good.</summary>\n<transcript>") for one in retold] == [
        False,
        *[True] * (len(retold) - 1),
    ]
    assert len(retold) <= turns * STEPS_MAX
    assert all(sum(map(estimated_tokens, texts(one))) < CONTEXT_TOKENS for one in fake.requests)
