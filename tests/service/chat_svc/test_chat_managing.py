"""What a person changes: titles, archives, texts, pins, reactions; and what they delete for good."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CHARACTER, Person, Replica, eventually
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.trees import NO_CONVERSATION, NO_MESSAGE, NOWHERE, Desk, desk, refusal

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def change(hers: Desk, name: str, *paths: str, **values: Any) -> chat_pb2.Conversation:
    request = chat_pb2.UpdateConversationRequest(
        conversation=chat_pb2.Conversation(name=name, **values), update_mask={"paths": list(paths or values)}
    )
    changed: chat_pb2.Conversation = await hers.ask("UpdateConversation", request)
    return changed


async def listed(hers: Desk, **wanted: Any) -> list[str]:
    page = await hers.ask("ListConversations", chat_pb2.ListConversationsRequest(**wanted))
    return [one.name for one in page.conversations]


async def test_a_title_is_given_and_taken_back(hers: Desk) -> None:
    name = await hers.person.conversation()
    before = await hers.conversation(name)
    named = await change(hers, name, display_name="Baker Street")
    assert (named.display_name, named.update_time) == ("Baker Street", before.update_time)
    assert await hers.conversation(name) == named
    assert (await change(hers, name, "display_name")).display_name == "Sherlock Holmes"
    assert not await hers.database.fetchval("SELECT titled FROM chat.conversations")


async def test_only_what_the_mask_names_is_changed(hers: Desk) -> None:
    name = await hers.person.conversation()
    before = await hers.conversation(name)
    request = chat_pb2.UpdateConversationRequest(conversation={"name": name, "display_name": "X" * 300})
    assert await hers.ask("UpdateConversation", request) == before
    archived = await change(hers, name, "archived", display_name="Baker Street", archived=True)
    assert (archived.archived, archived.display_name) == (True, "Sherlock Holmes")


@pytest.mark.parametrize(
    ("paths", "values"),
    [
        (["character"], {}),
        (["*"], {}),
        (["group.seed"], {}),
        (["display_name"], {"display_name": "X" * 201}),
        (["group"], {"group": {"answers_max": 9}}),
        (["group"], {"group": {"answers_max": 2}}),
    ],
)
async def test_what_cannot_be_changed_so_is_refused(hers: Desk, paths: list[str], values: dict[str, Any]) -> None:
    name = await hers.person.conversation()
    before = await hers.conversation(name)
    assert (await refusal(change(hers, name, *paths, **values)))[0] == INVALID
    assert await hers.conversation(name) == before


async def test_a_group_takes_turns_in_another_way(hers: Desk) -> None:
    name = await hers.person.conversation()
    await hers.database.execute("UPDATE chat.conversations SET others = '{characters/watson}'")
    group = chat_pb2.Group(turn_order=chat_pb2.TURN_ORDER_LIST, answers_max=2, credits_max=4, seed=7)
    assert (await change(hers, name, group=group)).group == group
    assert (await hers.conversation(name)).group == group


async def test_a_change_of_what_has_no_name_is_refused(hers: Desk) -> None:
    for name in ("", "conversations/1", "users/alice"):
        assert (await refusal(change(hers, name, archived=True)))[0] == INVALID
        assert (await refusal(hers.update(f"{name}/messages/1", pinned=True)))[0] == INVALID


async def test_archived_conversations_are_listed_apart(hers: Desk) -> None:
    first, second = [await hers.person.conversation() for _ in range(2)]
    await change(hers, first, archived=True)
    assert (await listed(hers), await listed(hers, archived=True)) == ([second], [first])
    await change(hers, first, archived=False)
    assert (await listed(hers), await listed(hers, archived=True)) == ([second, first], [])


async def test_conversations_are_found_by_their_title_and_their_characters(hers: Desk) -> None:
    first, second = [await hers.person.conversation() for _ in range(2)]
    await hers.database.execute(
        "UPDATE chat.conversations SET others = '{characters/watson}' WHERE id = $1", UUID(second.split("/")[1])
    )
    await change(hers, first, display_name="The Hound of the Baskervilles")
    assert await listed(hers, query="hound baskerv") == [first]
    assert await listed(hers, query="hound -baskervilles") == []
    assert await listed(hers, query="  ") == [second, first]
    assert await listed(hers, query="?!") == []
    assert await listed(hers, character="characters/watson") == [second]
    assert await listed(hers, character=CHARACTER) == [second, first]
    assert await listed(hers, character=CHARACTER, query="holmes") == [second]


async def test_a_page_token_is_of_one_filter(hers: Desk) -> None:
    names = [await hers.person.conversation() for _ in range(3)]
    request = chat_pb2.ListConversationsRequest(page_size=2, query="sherlock " + "holmes " * 20)
    page = await hers.ask("ListConversations", request)
    assert [one.name for one in page.conversations] == [names[2], names[1]]
    assert len(page.next_page_token) < 500
    assert await listed(hers, query=request.query, page_token=page.next_page_token) == [names[0]]
    for other in ({}, {"query": "holmes"}, {"query": request.query, "archived": True}):
        assert (await refusal(listed(hers, page_token=page.next_page_token, **other)))[0] == INVALID


async def test_a_conversation_is_deleted_with_all_that_is_in_it(hers: Desk, first: Replica, database: str) -> None:
    name = await hers.person.conversation()
    (message, _) = await hers.line(name, "One", "Two")
    await shown(hers, name)
    async with desk(first.person("bob"), "bob", database) as his:
        assert await refusal(_deleted(his, name)) == await refusal(_deleted(his, NOWHERE)) == NO_CONVERSATION
    for _ in range(2):
        await _deleted(hers, name)
    assert await refusal(hers.conversation(name)) == NO_CONVERSATION
    assert await refusal(hers.get(message)) == NO_MESSAGE
    assert await refusal(change(hers, name, archived=True)) == NO_CONVERSATION
    left = "SELECT (SELECT count(*) FROM chat.messages), (SELECT count(*) FROM chat.media)"
    assert tuple(await hers.database.fetchrow(left) or ()) == (0, 0)
    async with desk(first.person("bob"), "bob", database) as his:
        assert await refusal(_deleted(his, name)) == NO_CONVERSATION


async def test_an_image_stays_while_a_fork_shows_it(hers: Desk) -> None:
    name = await hers.person.conversation()
    (message,) = await hers.line(name, "Look at this")
    picture = await shown(hers, name)
    await hers.database.execute("UPDATE chat.messages SET media = ARRAY[$1::uuid]", picture)
    fork = await hers.fork(message)
    assert [list(one.media) for one in await hers.pages(fork.name)] == [[f"media/{picture}"]]
    kept = []
    for one in (name, fork.name):
        await _deleted(hers, one)
        kept.append(await hers.database.fetchval("SELECT count(*) FROM chat.media"))
    assert kept == [1, 0]


async def shown(hers: Desk, name: str) -> UUID:
    """The id of an image that a conversation shows."""
    add = """
        INSERT INTO chat.media (
            user_id, id, content_type, content, source_sha256, created_at, kept_until, conversation_id
        )
        VALUES ('alice', gen_random_uuid(), 'image/png', 'x', 'x', now(), now(), $1)
        RETURNING id
    """
    picture: UUID = await hers.database.fetchval(add, UUID(name.split("/")[1]))
    return picture


async def _deleted(whose: Desk, name: str) -> None:
    await whose.ask("DeleteConversation", chat_pb2.DeleteConversationRequest(name=name))


async def test_a_conversation_stays_while_its_character_answers(hers: Desk, fake: FakeProvider) -> None:
    name = await hers.person.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(name)) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        code, reason, _ = await refusal(_deleted(hers, name))
        assert (code, reason) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
        await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))
    await _deleted(hers, name)


@pytest.mark.parametrize("alone", [False, True], ids=["the conversation", "the message"])
async def test_what_an_answer_cost_is_settled_before_it_is_deleted(
    hers: Desk, fake: FakeProvider, quota: FakeQuota, alone: bool
) -> None:
    name = await hers.person.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(name)) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        quota.away = True
        await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))
    for deletion in (_deleted(hers, name), hers.delete(started.message)):
        assert (await refusal(deletion))[:2] == (grpc.StatusCode.UNAVAILABLE, "SETTLEMENT_PENDING")
    assert quota.states() == [quota_pb2.HOLD_STATE_HELD]
    quota.away = False
    await (hers.delete(started.message) if alone else _deleted(hers, name))
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]


async def test_a_text_is_changed_in_place(hers: Desk) -> None:
    name = await hers.person.conversation()
    question, answer, more = await hers.line(name, "Who?", "Holmes.", "Really?")
    assert not (await hers.get(question)).HasField("edit_time")
    edited = await hers.update(question, text="Who are you?")
    assert (edited.text, edited.HasField("edit_time")) == ("Who are you?", True)
    assert await hers.update(question, text="Who are you?") == edited
    assert [(one.name, one.text) for one in await hers.pages(name)] == [
        (question, "Who are you?"),
        (answer, "Holmes."),
        (more, "Really?"),
    ]


async def test_an_edited_answer_is_replayed_as_it_is_now(hers: Desk, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Elem", "ent", "ary"]))
    events = await hers.person.turn(await hers.person.conversation())
    edited = await hers.update(events[0].message, text="Not so elementary.")
    replayed = await hers.person.watched(events[0].message)
    assert [one.WhichOneof("event") for one in replayed] == ["started", "delta", "finished"]
    assert (replayed[0].started.model, replayed[1].delta.text) == ("claude", "Not so elementary.")
    assert replayed[-1].finished.message == edited == await hers.get(edited.name)
    assert replayed[-1].finished.receipt == events[-1].finished.receipt
    assert await hers.person.watched(events[0].message, after=40) == replayed[-1:]


async def test_a_text_keeps_to_its_limits(hers: Desk) -> None:
    question, answer = await hers.line(await hers.person.conversation(), "Who?", "Holmes.")
    assert (await refusal(hers.update(question, text="x" * 8_001)))[0] == INVALID
    assert (await refusal(hers.update(question, "text")))[0] == INVALID
    assert (await refusal(hers.update(answer, "text")))[0] == INVALID
    assert (await refusal(hers.update(answer, text="x" * 64_001)))[0] == INVALID
    assert (await refusal(hers.update(answer, "role", text="x")))[0] == INVALID
    assert len((await hers.update(question, text="é" * 8_000)).text) == 8_000
    assert len((await hers.update(answer, text="x" * 8_001)).text) == 8_001


async def test_a_live_answer_is_pinned_and_liked_but_not_edited(
    hers: Desk, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(await hers.person.conversation())) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        code, reason, _ = await refusal(hers.update(started.message, text="No."))
        assert (code, reason) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
        marked = await hers.update(started.message, pinned=True, reaction=chat_pb2.REACTION_LIKE)
        assert (marked.text, marked.pinned, marked.reaction) == ("Elem", True, chat_pb2.REACTION_LIKE)
        question = await hers.update(started.started.user_message.name, text="Who are you, really?")
        assert question.text == "Who are you, really?"
        stopped = await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))
    assert (stopped.text, stopped.pinned, stopped.reaction) == ("Elem", True, chat_pb2.REACTION_LIKE)
    await eventually(lambda: quota.states() == [quota_pb2.HOLD_STATE_SETTLED])


async def test_a_reaction_is_taken_back(hers: Desk) -> None:
    _, answer = await hers.line(await hers.person.conversation(), "Who?", "Holmes.")
    assert (await hers.update(answer, reaction=chat_pb2.REACTION_DISLIKE)).reaction == chat_pb2.REACTION_DISLIKE
    assert (await hers.update(answer, pinned=True)).reaction == chat_pb2.REACTION_DISLIKE
    assert (await hers.update(answer, "reaction")).reaction == chat_pb2.REACTION_UNSPECIFIED
    assert (await hers.get(answer)).pinned


async def test_twenty_messages_are_pinned_at_most(hers: Desk) -> None:
    name = await hers.person.conversation()
    names = await hers.line(name, *["…"] * 21)
    for one in names[:20]:
        await hers.update(one, pinned=True)
    code, reason, _ = await refusal(hers.update(names[20], pinned=True))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MANY_PINS")
    assert (await hers.update(names[19], pinned=True)).pinned
    await hers.update(names[0], pinned=False)
    assert (await hers.update(names[20], pinned=True)).pinned
    request = chat_pb2.ListMessagesRequest(parent=name, pinned=True)
    assert [one.name for one in (await hers.ask("ListMessages", request)).messages] == names[1:]


async def test_a_summary_is_forgotten_when_what_it_covers_changes(hers: Desk) -> None:
    name = await hers.person.conversation()
    first, second, third = await hers.line(name, "One", "Two", "Three")
    other = await hers.say(name, first, "Other two")

    async def summarised(until: str) -> None:
        await hers.choose(third)
        await hers.database.execute(
            "UPDATE chat.conversations SET summary = 'So far.', summary_until = $1", UUID(until.split("/")[3])
        )

    await summarised(second)
    await hers.update(third, text="Another three")
    assert (await hers.conversation(name)).summary == "So far."
    await hers.update(first, text="Another one")
    assert (await hers.conversation(name)).summary == ""
    await summarised(first)
    assert (await hers.choose(other)).summary == "So far."
    await summarised(second)
    assert (await hers.choose(other)).summary == ""
    await summarised(second)
    assert (await hers.delete(second)).summary == ""
