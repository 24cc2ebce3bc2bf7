"""Titles and follow-ups, which a cheap model makes behind the scenes."""

import asyncio
from dataclasses import replace
from uuid import UUID

import grpc
import pytest

from runtime.postgres import pool
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.aside import Aside
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.model import Class, Model
from services.chat_svc.scenes import suggesting
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.store import MIGRATIONS, SCHEMA, Conversations
from services.chat_svc.store.suggestions import Suggestions
from services.chat_svc.store.transcripts import Transcripts
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.told import in_time, looked_up, texts, titled

FOLLOW_UPS = Behaviour(
    answer=["1. Who is Moriarty?\n", '- "And the hound?"\n', f"{'x' * 121}\n", "Tell me more.\n", "No."]
)


async def _follow_ups(person: Person, message: str) -> list[str]:
    request = chat_pb2.ListFollowUpsRequest(parent=message)
    return list((await person.stub.ListFollowUps(request, metadata=person.metadata)).follow_ups)


async def _is_called(person: Person, conversation: str, title: str) -> None:
    async def is_so() -> bool:
        return (await looked_up(person, conversation)).display_name == title

    await in_time(is_so)


async def test_after_its_first_answer_a_conversation_gets_a_title(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["I am Holmes."]))
    fake.script_asides(
        Behaviour(answer=['Title: "A consulting\t', '\x00 detective in the fog of old London town, once again."\nX'])
    )
    await alice.turn(conversation)
    await _is_called(alice, conversation, "A consulting detective in the fog of old London town, once…")
    (asked,) = fake.asides
    assert texts(asked) == ["<transcript>\nThe person: Who are you?\nSherlock Holmes: I am Holmes.\n</transcript>"]
    assert (quota.left, len(quota.holds)) == (4, 1)


async def test_a_conversation_that_got_no_title_gets_one_after_the_next_answer(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    # However many turns it takes.
    quota.left = 1_000
    conversation = await alice.conversation()
    fake.script_asides(Behaviour(status=400), Behaviour(answer=["The hound"]))
    await alice.turn(conversation)
    await eventually(lambda: len(fake.asides) == 1)
    assert (await looked_up(alice, conversation)).display_name == "Sherlock Holmes"

    async def asked_again() -> bool:
        await alice.turn(conversation)
        return len(fake.asides) > 1

    await in_time(asked_again)
    await _is_called(alice, conversation, "The hound")


async def test_a_title_that_the_person_gives_meanwhile_stays(alice: Person, first: Replica, database: str) -> None:
    name = await alice.conversation()
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        identifier = UUID(name.removeprefix("conversations/"))
        before = await Conversations(connections).conversation("alice", identifier)
        wanted = chat_pb2.Conversation(name=name, display_name="Mine")
        change = chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask={"paths": ["display_name"]})
        await alice.stub.UpdateConversation(change, metadata=alice.metadata)
        await Transcripts(connections).title(before, "A model's")
    assert (await looked_up(alice, name)).display_name == "Mine"


async def test_nobody_is_asked_for_the_title_of_a_conversation_that_has_one(alice: Person, fake: FakeProvider) -> None:
    conversation = await titled(alice)
    events = await alice.turn(conversation)
    assert await _follow_ups(alice, events[0].message) == []
    (asked,) = fake.asides
    assert "might say next" in str(asked.body["system"])


async def test_an_aside_that_hangs_holds_up_nobody(alice: Person, fake: FakeProvider) -> None:
    fake.aside = Behaviour(silent=True)
    conversation = await alice.conversation()
    kinds = [[event.WhichOneof("event") for event in await alice.turn(conversation)][-1] for _ in range(2)]
    assert kinds == ["finished", "finished"]


async def test_follow_ups_are_made_when_somebody_asks_and_are_the_same_for_all(
    alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await titled(alice)
    answer = (await alice.turn(conversation))[0].message
    assert fake.asides == []
    fake.script_asides(FOLLOW_UPS, Behaviour(answer=["Something else."]))
    made = await _follow_ups(alice, answer)
    assert made == ["Who is Moriarty?", "And the hound?", "Tell me more."]
    assert await _follow_ups(second.person("alice"), answer) == made
    assert len(fake.asides) == 1


async def test_several_who_ask_at_once_wait_for_the_same_ones(
    alice: Person, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await titled(alice)
    answer = (await alice.turn(conversation))[0].message
    fake.aside = FOLLOW_UPS
    looked: list[Message] = []
    everybody, look, ask = asyncio.Event(), Suggestions.follow_ups, Asking.ask

    async def looking(suggestions: Suggestions, message: Message) -> tuple[str, ...] | None:
        kept = await look(suggestions, message)
        looked.append(message)
        return kept

    async def asking(asked: Asking, aside: Aside) -> str:
        await everybody.wait()
        return await ask(asked, aside)

    monkeypatch.setattr(Suggestions, "follow_ups", looking)
    monkeypatch.setattr(Asking, "ask", asking)
    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(_follow_ups(alice, answer)) for _ in range(5)]
        # Each of them, and whoever makes them for all.
        await eventually(lambda: len(looked) == len(made) + 1)
        everybody.set()
    assert [one.result() for one in made] == [["Who is Moriarty?", "And the hound?", "Tell me more."]] * 5
    assert len(fake.asides) == 1


async def test_follow_ups_that_take_too_long_are_none_and_nobody_waits_on(
    alice: Person, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggesting, "WAIT_SECONDS_MAX", 0.05)
    fake.aside = Behaviour(silent=True)
    answer = (await alice.turn(await titled(alice)))[0].message
    assert await _follow_ups(alice, answer) == []


async def test_follow_ups_that_failed_are_made_when_they_are_asked_for_again(alice: Person, fake: FakeProvider) -> None:
    answer = (await alice.turn(await titled(alice)))[0].message
    fake.script_asides(Behaviour(status=400), FOLLOW_UPS)
    assert await _follow_ups(alice, answer) == []
    assert len(await _follow_ups(alice, answer)) == 3


async def test_there_are_no_follow_ups_to_what_the_person_said(alice: Person, fake: FakeProvider) -> None:
    conversation = await titled(alice)
    await alice.turn(conversation)
    question, _ = await alice.messages(conversation)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _follow_ups(alice, question.name)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _follow_ups(alice, f"{conversation}/messages/{'0' * 8}-0000-4000-8000-{'0' * 12}")
    assert error_info(caught.value).reason == "MESSAGE_NOT_FOUND"
    assert fake.asides == []


@pytest.mark.parametrize("weak", [{"last_resort": True}, {"model_class": Class.PREMIUM}])
async def test_neither_a_last_resort_nor_a_premium_model_is_asked_behind_the_scenes(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, weak: dict[str, object]
) -> None:
    standard = replace(claude, id="first", last_resort=True)
    async with replica(around, [standard, replace(claude, **weak)]) as process:  # type: ignore[arg-type]
        person = process.person()
        answer = (await person.turn(await person.conversation()))[0].message
        assert await _follow_ups(person, answer) == []
    assert (len(fake.requests), fake.asides) == (1, [])
