import asyncio
from contextlib import aclosing

import asyncpg

from runtime.events.envelope import opened
from scenemesh.chat.v1 import chat_pb2
from scenemesh.events.v1 import chat_pb2 as events
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person
from tests.service.chat_svc.siblings import FakeQuota


async def test_what_the_ledger_refuses_to_charge_stands_on_no_receipt_and_in_no_event(
    alice: Person, fake: FakeProvider, quota: FakeQuota, database: str
) -> None:
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(alice.sending(await alice.conversation())) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        (hold,) = quota.holds.values()
        hold.state, quota.left = quota_pb2.HOLD_STATE_RELEASED, 0
        await alice.stub.StopMessage(chat_pb2.StopMessageRequest(name=started.message), metadata=alice.metadata)
        rest = [event async for event in stream]
    last = rest[-1].finished
    assert (last.message.text, last.receipt.charged, quota.settled) == ("Elem", 0, [])
    assert (await alice.watched(started.message))[-1] == rest[-1]
    connection = await asyncpg.connect(database)
    told = [opened(row["payload"]).data for row in await connection.fetch("SELECT payload FROM chat.outbox")]
    await connection.close()
    completed = events.MessageCompleted()
    assert [one.Unpack(completed) for one in told] == [False, True]
    assert (completed.message, completed.meter, completed.charged) == (started.message, "chat", 0)


async def test_who_has_seen_as_much_as_there_is_still_learns_how_it_ended(alice: Person, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Elem", "entary"]))
    events = await alice.turn(await alice.conversation())
    assert [await alice.watched(events[0].message, after) for after in (3, 4, 9)] == [events[-1:]] * 3


async def test_a_receipt_says_what_is_left_and_what_the_provider_had_in_its_cache(
    alice: Person, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["Elementary"], usage=(1_200, 34), cached_tokens=1_024))
    events = await alice.turn(await alice.conversation())
    receipt = events[-1].finished.receipt
    assert (receipt.meter, receipt.charged, receipt.remaining) == ("chat", 1, 4)
    assert (receipt.usage.input_tokens, receipt.usage.cached_input_tokens) == (1_200, 1_024)
    assert await alice.watched(events[0].message) == events


async def test_who_comes_while_the_bill_is_made_sees_what_everybody_sees(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation("At home")
    quota.settles.clear()
    sending = asyncio.create_task(alice.turn(conversation))
    message = await ended(alice, conversation)
    late = alice.watching(message)
    first = await anext(late)
    quota.settles.set()
    whole = [first] + [event async for event in late]
    assert whole == await sending
    assert whole[-1].finished.receipt.remaining == 4


async def ended(person: Person, conversation: str) -> str:
    """The answer of a conversation, once it is complete."""
    while True:
        said = await person.messages(conversation)
        if len(said) == 2 and said[1].state == chat_pb2.MESSAGE_STATE_COMPLETE:
            return said[1].name
