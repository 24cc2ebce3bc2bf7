from contextlib import aclosing

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person
from tests.service.chat_svc.siblings import FakeQuota


async def test_what_the_ledger_refuses_to_charge_stands_on_no_receipt(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(alice.sending(await alice.conversation())) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        (hold,) = quota.holds.values()
        hold.state = quota_pb2.HOLD_STATE_RELEASED
        await alice.stub.StopMessage(chat_pb2.StopMessageRequest(name=started.message), metadata=alice.metadata)
        rest = [event async for event in stream]
    last = rest[-1].finished
    assert (last.message.text, last.receipt.charged, quota.settled) == ("Elem", 0, [])
    assert (await alice.watched(started.message))[-1] == rest[-1]


async def test_who_has_seen_as_much_as_there_is_still_learns_how_it_ended(alice: Person, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Elem", "entary"]))
    events = await alice.turn(await alice.conversation())
    assert [await alice.watched(events[0].message, after) for after in (3, 4, 9)] == [events[-1:]] * 3
