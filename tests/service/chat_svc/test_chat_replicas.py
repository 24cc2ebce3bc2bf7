"""Several processes on one database and one Redis: watching from afar, taking over, going on without Redis."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.harness import engines
from tests.service.chat_svc.replica import WAIT_SECONDS, Lapse, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import failed, failure, kinds, numbers, said, without_delays
from tests.service.chat_svc.siblings import ONE_TURN, FakeQuota

INTERRUPTED = chat_pb2.FAILURE_REASON_INTERRUPTED
FAILED = chat_pb2.MESSAGE_STATE_FAILED


async def undelayed(
    stream: AsyncGenerator[chat_pb2.ChatEvent, None],
) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    """The events of a stream that are of the log: on a busy machine Redis may seem to be away."""
    async with aclosing(stream) as events:
        async for event in events:
            if not event.HasField("delayed"):
                yield event


async def test_another_replica_shows_an_answer_live(alice: Person, second: Replica, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["a", "b", "c"], stall_after=2))
    stream = alice.sending(conversation)
    begun = [await anext(stream) for _ in range(3)]
    afar = undelayed(second.person("alice").watching(begun[0].message))
    assert [await anext(afar) for _ in range(3)] == begun
    _, answer = await second.person("alice").messages(conversation)
    assert answer.text == "ab"
    await afar.aclose()
    await stream.aclose()


async def test_another_replica_ends_a_watch_with_the_same_last_event(
    alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["word "] * 40, delay_ms=20))
    stream = alice.sending(conversation)
    started = await anext(stream)
    async with asyncio.TaskGroup() as tasks:
        whole = tasks.create_task(second.person("alice").watched(started.message))
        rest = tasks.create_task(second.person("alice").watched(started.message, after=7))
        sent = [started] + [event async for event in stream]
    assert (without_delays(whole.result()), without_delays(rest.result())) == (sent, sent[7:])


async def test_an_answer_whose_process_died_ends_as_interrupted_and_is_paid_for(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=2))
    stream = alice.sending(conversation)
    begun = [await anext(stream) for _ in range(3)]
    afar = undelayed(second.person("alice").watching(begun[0].message, after=2))
    seen = [*begun[:2], await anext(afar)]
    await first.kill()
    await second.recovery.sweep()
    assert quota.states() == [quota_pb2.HOLD_STATE_HELD], "its lease has not lapsed"
    await lapse()
    await second.recovery.sweep()
    seen += [event async for event in afar]
    assert numbers(seen) == [1, 2, 3, 4]
    assert failure(seen) == failed(INTERRUPTED, 1, "Elementary")
    assert seen[-1].failed.receipt.usage.estimated
    assert await second.person("alice").watched(begun[0].message) == seen
    assert [(list(one.amounts), one.usage.output_tokens) for one in quota.settled] == [([ONE_TURN], 3)]
    assert kinds(await second.person("alice").turn(conversation))[-1] == "finished"


async def test_an_answer_whose_process_died_before_the_first_word_costs_nothing(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["a"], stall_after=0))
    sending = asyncio.create_task(alice.turn(conversation))
    await eventually(lambda: len(fake.requests) == 1)
    await first.kill()
    await asyncio.wait([sending])
    await lapse()
    await second.recovery.sweep()
    _, answer = await second.person("alice").messages(conversation)
    assert (answer.state, answer.failure_reason, answer.text) == (
        FAILED,
        INTERRUPTED,
        "",
    )
    assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED]


async def test_of_two_that_look_one_takes_over(
    alice: Person, around: Surroundings, claude: Model, first: Replica, second: Replica, lapse: Lapse,
    fake: FakeProvider, quota: FakeQuota,
) -> None:  # fmt: skip
    fake.script(Behaviour(answer=["a"], stall_after=1))
    stream = alice.sending(await alice.conversation())
    begun = [await anext(stream) for _ in range(2)]
    await first.kill()
    await lapse()
    async with replica(around, [claude]) as third:
        await asyncio.gather(second.recovery.sweep(), third.recovery.sweep())
        events = await third.person("alice").watched(begun[0].message)
    assert failure(events) == failed(INTERRUPTED, 1, "a")
    assert len(quota.settled) == 1


async def test_an_owner_that_lost_its_lease_changes_nothing_any_more(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    fake.script(Behaviour(answer=["a", "b", "c"], stall_after=2))
    conversation = await alice.conversation()
    stream = alice.sending(conversation)
    begun = [await anext(stream) for _ in range(3)]
    there = second.person("alice")
    async with asyncio.timeout(WAIT_SECONDS):
        # Its owner lives, and may renew the lease in between.
        while (await there.messages(conversation))[-1].state != FAILED:
            await lapse()
            await second.recovery.sweep()
    # The owner learns of its loss at the next renewal; here it usually ends the answer in its own way before that.
    first.generations.stop(UUID(begun[0].message.split("/")[-1]))
    sent = begun + [event async for event in stream]
    watched = await there.watched(begun[0].message)
    assert watched[-1] == sent[-1]
    assert watched[-1].failed.reason == INTERRUPTED
    assert [one.usage.resource for one in quota.settled] == [begun[0].message]


async def test_without_redis_an_answer_goes_on_where_it_is_made(
    around: Surroundings, claude: Model, fake: FakeProvider, tmp_path: Path
) -> None:
    fake.script(Behaviour(answer=["word "] * 20, delay_ms=20))
    async with engines.valkey(tmp_path) as url:
        here = Surroundings(around.certificates, around.database, url, around.quota, around.search)
        first = replica(here, [claude])
        second = replica(here, [claude])
        running, other = await first.__aenter__(), await second.__aenter__()
        alice = running.person("alice")
        stream = alice.sending(await alice.conversation())
        begun = [await anext(stream) for _ in range(3)]
    afar = asyncio.create_task(other.person("alice").watched(begun[0].message))
    events = begun + [event async for event in stream]
    assert (kinds(events)[-1], said(events)) == ("finished", "word " * 20)
    assert without_delays(await afar) == events
    await second.__aexit__(None, None, None)
    await first.__aexit__(None, None, None)
