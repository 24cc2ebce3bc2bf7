"""A round of a group outlives the process that it was begun in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import handing_over
from services.chat_svc.answering.live import LiveLog
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.store import answers as kept_answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import (
    CAST,
    LIST,
    NATURAL,
    SHERLOCK,
    WATSON,
    answers,
    gathered,
    notes,
    paused,
    round_of,
    said_to,
    speakers,
    words,
)
from tests.service.chat_svc.replica import Events, Lapse, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.told import in_time

RELEASED, SETTLED = quota_pb2.HOLD_STATE_RELEASED, quota_pb2.HOLD_STATE_SETTLED
STALLED = Behaviour(answer=["Ama", "zing"], stall_after=1)


@pytest.fixture
def going_on(claude: Model) -> Model:
    return replace(claude, capabilities=frozenset({Capability.PREFILL}))


@pytest.fixture
def awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends waits long until another one takes its answers."""
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(kept_answers, "OFFER_SECONDS", 30.0)


@pytest.fixture
async def due(database: str) -> AsyncIterator[Lapse]:
    """Lets every pause be over for so long that others may begin the next answer."""
    connection = await asyncpg.connect(database)

    async def due() -> None:
        await connection.execute("UPDATE chat.messages SET lease_until = now() + interval '20 seconds'")

    yield due
    await connection.close()


async def watched_on(person: Person, message: str) -> Events:
    """The rest of a round, from an answer on."""
    events = await person.watched(message)
    while following := answers(events)[-1].next_message:
        events += await person.watched(following)
    return events


async def began(person: Person, conversation: str, text: str = "Well?", until: str = "Ama") -> Events:
    """What somebody saw of a round before they went."""
    events = []
    async with aclosing(said_to(person, conversation, text)) as stream:
        async for event in stream:
            events.append(event)
            if event.delta.text == until:
                return events
    raise AssertionError(events)


async def first_answer(person: Person, conversation: str) -> chat_pb2.Message:
    async with aclosing(said_to(person, conversation)) as stream:
        async for event in stream:
            if event.HasField("finished"):
                return event.finished.message
    raise AssertionError(conversation)


@pytest.mark.usefixtures("awaited")
async def test_who_takes_an_answer_over_goes_on_with_its_round(
    around: Surroundings, going_on: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(*words("Elementary."), STALLED, *words("zing!", "Hm."))
    async with replica(around, [going_on]) as staying:
        async with replica(around, [going_on]) as ending:
            alice = ending.person()
            conversation = await gathered(alice)
            begun = await began(alice, conversation)
        there = staying.person()
        events = await watched_on(there, begun[-1].message)
        assert [(one.character, one.text) for one in answers(events)] == [(WATSON, "Amazing!"), (CAST[2], "Hm.")]
        _, *said = await there.messages(conversation)
        assert (said[1:], said[0].next_message) == (answers(events), said[1].name)
        assert [one.next_message for one in said] == [said[1].name, said[2].name, ""]
        assert [one.parent for one in said[1:]] == [said[0].name, said[1].name]
    assert ["Mycroft" in note for note in notes(fake)] == [False, False, False, True]
    assert (quota.left, quota.states()) == (2, [SETTLED] * 3)


@pytest.mark.usefixtures("awaited")
async def test_a_round_that_goes_on_elsewhere_costs_no_more_than_the_group_lets_it(
    around: Surroundings, going_on: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(*words("Elementary."), STALLED, *words("zing!", "Hm."))
    async with replica(around, [going_on]) as staying:
        async with replica(around, [going_on]) as ending:
            alice = ending.person()
            conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=2))
            begun = await began(alice, conversation)
        assert speakers(await watched_on(staying.person(), begun[-1].message)) == [WATSON]
    assert (quota.left, quota.states()) == (3, [SETTLED] * 2)


@pytest.mark.usefixtures("awaited")
async def test_a_scene_takes_the_same_turns_whoever_goes_on_with_it(
    around: Surroundings, going_on: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 100
    group = chat_pb2.Group(turn_order=NATURAL, seed=7, talkativeness=dict.fromkeys(CAST, 80))
    scene = ["Watson, Sherlock and Mycroft?", "And now?", "Who else?"]
    async with replica(around, [going_on]) as staying:
        there = staying.person()
        conversation = await gathered(there, group)
        played = [speakers(await round_of(there, conversation, text)) for text in scene]
        async with replica(around, [going_on]) as ending:
            alice = ending.person()
            conversation = await gathered(alice, group)
            fake.script(STALLED)
            begun = await began(alice, conversation, scene[0])
        again = [speakers(await watched_on(there, begun[0].message))]
        again += [speakers(await round_of(there, conversation, text)) for text in scene[1:]]
    assert (again, len(again[0])) == (played, 3)


@pytest.mark.usefixtures("awaited")
async def test_a_round_that_goes_on_can_go_on_once_more(
    around: Surroundings, going_on: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(STALLED, Behaviour(answer=["zing", "!"], stall_after=1), *words("!", "Indeed.", "Hm."))
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(replica(around, [going_on])) for _ in range(3)]
        alice = processes[0].person()
        begun = await began(alice, await gathered(alice))
        await processes[0].end()
        await eventually(lambda: len(fake.requests) == 2)
        taker = next(one for one in processes[1:] if one.generations.running)
        await eventually(lambda: any(len(log.entries) == 4 for log in logs_of(taker)))
        await taker.end()
        last = next(one for one in processes[1:] if one is not taker)
        assert speakers(await watched_on(last.person(), begun[0].message)) == list(CAST)
    assert (quota.left, quota.states()) == (2, [SETTLED] * 3)


def logs_of(process: Replica) -> list[LiveLog]:
    """What is being said there."""
    logs = (process.generations.log(one) for one in process.generations.running)
    return [log for log in logs if log is not None]


async def test_who_ends_the_answer_of_a_dead_process_goes_on_with_its_round(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary."), STALLED, *words("Hm."))
    begun = await began(alice, conversation)
    await first.kill()
    await lapse()
    there = second.person()
    # The next one has not begun.
    waiting = asyncio.create_task(there.watched(begun[-1].message))
    await second.recovery.sweep()
    events = await waiting
    assert (kinds(events)[-1], events[-1].failed.message.text) == ("failed", "Ama")
    assert speakers(await watched_on(there, begun[-1].message)) == list(CAST[1:])
    assert [one.text for one in await there.messages(conversation)] == ["Well?", "Elementary.", "Ama", "Hm."]
    assert (quota.left, quota.states()) == (2, [SETTLED] * 3)


async def test_after_its_process_died_a_round_costs_no_more_than_the_group_lets_it(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=2))
    fake.script(*words("Elementary."), STALLED)
    begun = await began(alice, conversation)
    await first.kill()
    await lapse()
    await second.recovery.sweep()
    assert speakers(await watched_on(second.person(), begun[-1].message)) == [WATSON]
    assert (quota.left, quota.states()) == (3, [SETTLED] * 2)


async def test_a_round_that_is_to_stop_does_not_go_on_after_its_process_died(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, lapse: Lapse
) -> None:
    conversation = await gathered(alice)
    fake.script(STALLED)
    begun = await began(alice, conversation)
    ids = (UUID(one) for one in begun[0].message.split("/")[1::2])
    await first.parts.answers.wish_stopped((await first.parts.answers.get("alice", *ids)).answer)
    await first.kill()
    await lapse()
    await second.recovery.sweep()
    assert speakers(await watched_on(second.person(), begun[0].message)) == [SHERLOCK]


async def test_a_round_that_was_to_stop_in_a_pause_ends_where_it_would_go_on(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, due: Lapse
) -> None:
    conversation = await gathered(alice, paused())
    said = await first_answer(alice, conversation)
    ids = (UUID(one) for one in said.name.split("/")[1::2])
    await first.parts.answers.wish_stopped((await first.parts.answers.get("alice", *ids)).answer)
    await first.kill()
    await due()
    await second.recovery.sweep()
    there = second.person()
    assert [one.next_message for one in await there.messages(conversation)] == ["", ""]
    assert speakers(await round_of(there, conversation, speakers=[WATSON])) == [WATSON]


async def test_a_round_whose_process_died_between_two_answers_goes_on_in_one_other(
    around: Surroundings,
    claude: Model,
    alice: Person,
    first: Replica,
    second: Replica,
    fake: FakeProvider,
    quota: FakeQuota,
    due: Lapse,
) -> None:
    conversation = await gathered(alice, paused())
    said = await first_answer(alice, conversation)
    await first.kill()
    await second.recovery.sweep()
    assert len(fake.requests) == 1
    async with replica(around, [claude]) as third:
        for _ in CAST[1:]:
            await due()
            begun = len(fake.requests) + 1
            await asyncio.gather(*(one.recovery.sweep() for one in (second, third)))
            await eventually(lambda begun=begun: len(fake.requests) == begun)  # type: ignore[misc]
            said = answers(await third.person().watched(said.next_message))[0]
    there = second.person()
    assert [one.character for one in await there.messages(conversation)] == ["", *CAST]
    assert (said.next_message, len(fake.requests)) == ("", 3)
    assert (quota.left, quota.states()) == (2, [SETTLED] * 3)


async def test_a_round_whose_process_died_between_two_answers_costs_no_more_than_the_group_lets_it(
    alice: Person, first: Replica, second: Replica, quota: FakeQuota, due: Lapse
) -> None:
    conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, pause_seconds=10, credits_max=2))
    said = await first_answer(alice, conversation)
    await first.kill()
    await due()
    await second.recovery.sweep()
    last = answers(await second.person().watched(said.next_message))[0]
    assert (last.character, last.next_message, quota.left) == (WATSON, "", 3)


async def test_a_round_that_nobody_can_go_on_with_for_a_defect_keeps_nobody_waiting(
    alice: Person, first: Replica, second: Replica, quota: FakeQuota, due: Lapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await gathered(alice, paused())
    await first_answer(alice, conversation)
    await first.kill()
    await due()
    there, found = second.person(), list[object]()

    async def broken(*about: object) -> None:
        found.append(about)
        raise ValueError("nobody foresaw this")

    async def is_over() -> bool:
        return (await there.messages(conversation))[-1].next_message == ""

    with monkeypatch.context() as patch:
        patch.setattr(second.recovery._rounds._scenes, "scene", broken)
        await second.recovery.sweep()
        await in_time(is_over)
        await due()
        await second.recovery.sweep()
    assert speakers(await round_of(there, conversation, speakers=[WATSON])) == [WATSON]
    assert (len(found), quota.states()) == (1, [SETTLED, RELEASED, SETTLED])


async def test_a_process_that_ends_between_two_answers_leaves_the_next_one_to_another(
    around: Surroundings, claude: Model, second: Replica, fake: FakeProvider
) -> None:
    async with replica(around, [claude]) as ending:
        here = ending.person()
        conversation = await gathered(here, paused(1))
        said = await first_answer(here, conversation)
    there = second.person()
    watched = asyncio.create_task(there.watched(said.next_message))
    while not watched.done():
        await second.recovery.sweep()
        await asyncio.wait([watched], timeout=0.1)
    assert speakers(watched.result()) == [WATSON]


async def test_however_many_begin_an_answer_it_is_made_and_paid_for_once(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, due: Lapse
) -> None:
    fake.otherwise = Behaviour(answer=["a", "b"], delay_ms=20)
    conversation = await gathered(alice, paused(1))
    said = await first_answer(alice, conversation)
    await due()
    # The one whose round it is lives, and goes on, too.
    await second.recovery.sweep()
    events = await watched_on(second.person(), said.next_message)
    assert speakers(events) == list(CAST[1:])
    await first.end()
    assert [one.character for one in await second.person().messages(conversation)] == ["", *CAST]
    assert (len(fake.requests), quota.left) == (3, 2)
    assert set(quota.states()) <= {SETTLED, RELEASED}
