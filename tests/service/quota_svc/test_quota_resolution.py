import asyncio
from uuid import uuid4

import grpc
import pytest

from runtime.postgres import Pool
from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import EXPIRED, RELEASED, SETTLED, Desk, told

USAGE = quota_pb2.Usage(resource="conversations/1/messages/2", model="smollm2", input_tokens=300, output_tokens=40)


async def refused(call: object) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call  # type: ignore[misc]
    return told(refusal.value)


async def test_settling_charges_what_was_used_and_frees_the_rest(desk: Desk) -> None:
    hold = await desk.hold(4)
    settled = await desk.settle(hold, 3, USAGE)
    hold.state, hold.settled_amount = SETTLED, 3
    assert settled == hold
    meter = await desk.meter()
    assert (meter.limit, meter.used, meter.held, meter.remaining) == (5, 3, 0, 2)
    assert (await desk.entries()).entries == [
        quota_pb2.Entry(
            name="users/ann/entries/1",
            meter="chat",
            amount=-3,
            kind=quota_pb2.ENTRY_KIND_ALLOWANCE_CHARGE,
            hold=hold.name,
            usage=USAGE,
            create_time=desk.clock.now,
        )
    ]


async def test_settling_twice_charges_once(desk: Desk) -> None:
    hold = await desk.hold(2)
    first = await desk.settle(hold, 2, USAGE)
    desk.clock.forward(hours=2)
    assert await desk.settle(hold, 2) == first
    assert len((await desk.entries()).entries) == 1


async def test_ten_settlements_at_once_charge_once(desk: Desk) -> None:
    hold = await desk.hold(2)
    answers = await asyncio.gather(*(desk.settle(hold, 2) for _ in range(10)))
    assert [answer == answers[0] for answer in answers] == [True] * 10
    assert (await desk.meter()).used == 2


async def test_settling_with_another_amount_is_refused_and_changes_nothing(desk: Desk) -> None:
    hold = await desk.hold(3)
    await desk.settle(hold, 2)
    assert await refused(desk.settle(hold, 1)) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")
    assert await refused(desk.settle(hold, 3)) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")
    assert (await desk.meter()).used == 2


@pytest.mark.parametrize("amount", [4, 2**63 - 1])
async def test_settling_more_than_is_held_is_refused_and_changes_nothing(desk: Desk, amount: int) -> None:
    hold = await desk.hold(3)
    assert await refused(desk.settle(hold, amount)) == ("OUT_OF_RANGE", "AMOUNT_EXCEEDS_HOLD")
    assert (await desk.meter()).held == 3


async def test_a_released_hold_gives_its_amount_back(desk: Desk) -> None:
    hold = await desk.hold(5)
    released = await desk.release(hold)
    hold.state = RELEASED
    assert released == hold
    assert (await desk.meter()).remaining == 5
    assert (await desk.entries()).entries == []


async def test_a_hold_resolves_once(desk: Desk) -> None:
    settled, released = await desk.hold(1), await desk.hold(1)
    await desk.settle(settled, 1)
    await desk.release(released)
    assert await refused(desk.release(settled)) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")
    assert await refused(desk.settle(released, 1)) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")
    assert (await desk.release(released)).state == RELEASED


async def test_releasing_what_has_expired_gives_the_expired_hold(desk: Desk) -> None:
    hold = await desk.hold(1, seconds=10)
    desk.clock.forward(seconds=10)
    assert (await desk.release(hold)).state == EXPIRED
    assert await refused(desk.settle(hold, 1)) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")


@pytest.mark.parametrize("user", ["ann", "bob"])
async def test_a_hold_that_is_not_the_users_is_not_found(desk: Desk, user: str) -> None:
    await desk.hold(1)
    strange = quota_pb2.Hold(name=f"users/{user}/holds/{uuid4()}")
    assert await refused(desk.settle(strange, 1)) == ("NOT_FOUND", "HOLD_NOT_FOUND")
    assert await refused(desk.release(strange)) == ("NOT_FOUND", "HOLD_NOT_FOUND")


async def test_a_settlement_and_a_release_at_once_have_one_winner(desk: Desk) -> None:
    for _ in range(5):
        hold = await desk.hold(1)
        outcomes = await asyncio.gather(desk.settle(hold, 1), desk.release(hold), return_exceptions=True)
        assert sorted(type(outcome) is quota_pb2.Hold for outcome in outcomes) == [False, True]


async def test_the_database_refuses_to_change_an_entry(desk: Desk, connections: Pool) -> None:
    await desk.settle(await desk.hold(1), 1)
    for statement in ("UPDATE entries SET amount = -9", "DELETE FROM entries", "TRUNCATE entries"):
        with pytest.raises(Exception, match="entries are append-only"):
            await connections.execute(statement)
    assert (await desk.meter()).used == 1
