"""Two replicas on one database: what one does the other knows, and neither does it again."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from runtime.postgres import Pool
from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.plans import Plans
from tests.service.quota_svc.desk import EXPIRED, HELD, SETTLED, Clock, Desk, amounts, operator, reason
from tests.service.quota_svc.replica import replica

# More than one sweep takes on.
MANY = 250


def batch(requests: Sequence[quota_pb2.ReserveRequest]) -> quota_pb2.BatchReserveRequest:
    return quota_pb2.BatchReserveRequest(requests=requests)


async def test_fifty_at_once_at_a_limit_of_ten_admit_ten(desk: Desk, other_desk: Desk) -> None:
    await desk.set_plan("plans/ten")
    calls = [(desk, other_desk)[number % 2].reserve() for number in range(50)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    told = Counter("held" if isinstance(one, quota_pb2.ReserveResponse) else error_info(one).reason for one in answers)  # type: ignore[arg-type]
    assert told == {"held": 10, "QUOTA_EXHAUSTED": 40}


async def test_each_replica_answers_for_what_the_other_one_made(desk: Desk, other_desk: Desk) -> None:
    ids = [uuid4() for _ in range(4)]
    made = (
        await desk.reserve(1, request_id=ids[0]),
        await desk.grant(2, request_id=ids[1]),
        await desk.adjust(-1, request_id=ids[2]),
        await desk.set_plan("plans/ten", request_id=ids[3]),
    )
    again = (
        await other_desk.reserve(1, request_id=ids[0]),
        await other_desk.grant(2, request_id=ids[1]),
        await other_desk.adjust(-1, request_id=ids[2]),
        await other_desk.set_plan("plans/ten", request_id=ids[3]),
    )
    assert again[0].hold == made[0].hold
    assert again[1:] == made[1:]
    settled = await other_desk.settle(made[0].hold, 1)
    assert await desk.settle(made[0].hold, 1) == settled
    assert await desk.quota() == await other_desk.quota()


async def test_batches_that_take_users_in_opposite_orders_do_not_wait_for_each_other_for_ever(
    desk: Desk, other_desk: Desk
) -> None:
    users = [f"user-{number}" for number in range(40)]
    for _ in range(5):
        forth = batch([desk.reserve_request(1, user=user) for user in users])
        back = batch([desk.reserve_request(1, user=user) for user in reversed(users)])
        answers = await asyncio.gather(desk.chat.BatchReserve(forth), other_desk.chat.BatchReserve(back))
        outcomes = [result for answer in answers for result in answer.results]
        assert {result.WhichOneof("result") for result in outcomes if result.hold.name} <= {"hold"}
    held = [await desk.meter(user=user) for user in users]
    assert [one.held for one in held] == [5] * 40


async def test_a_sweep_by_both_at_once_expires_each_hold_once(desk: Desk, other_desk: Desk, connections: Pool) -> None:
    await desk.chat.BatchReserve(batch([desk.reserve_request(2, user=f"user-{number}") for number in range(MANY)]))
    assert await desk.sweeping.sweep() == 0
    desk.clock.forward(seconds=60)
    while await desk.sweeping.sweep() + await other_desk.sweeping.sweep():
        await asyncio.gather(*(one.sweeping.sweep() for one in (desk, other_desk) * 2))
    states = await connections.fetch("SELECT state, count(*) FROM holds GROUP BY state")
    assert [tuple(row) for row in states] == [("expired", MANY)]
    request = quota_pb2.ListHoldsRequest(parent="users/user-7")
    (hold,) = (await desk.edge.ListHolds(request, metadata=operator())).holds
    assert (hold.state, hold.resolve_time, hold.lines[0].settled_amount) == (EXPIRED, hold.expire_time, 0)


async def test_a_sweep_by_both_at_once_ends_a_credit_with_one_entry(desk: Desk, other_desk: Desk) -> None:
    end = desk.clock.now + timedelta(hours=1)
    await desk.grant(7, meter="video", expire_time=end, rollover=3)
    await desk.settle(await desk.hold({"video": 2}), {"video": 2})
    desk.clock.forward(hours=1)
    await asyncio.gather(*(one.sweeping.sweep() for one in (desk, other_desk) * 3))
    entries = (await desk.entries(meter="video")).entries
    assert [(one.kind, one.amount, one.balance) for one in entries] == [
        (quota_pb2.ENTRY_KIND_ROLLOVER, 3, 3),
        (quota_pb2.ENTRY_KIND_LAPSE, 5, 0),
        (quota_pb2.ENTRY_KIND_CHARGE, 2, 5),
        (quota_pb2.ENTRY_KIND_GRANT, 7, 7),
    ]


async def test_a_replica_whose_clock_is_behind_neither_goes_back_nor_admits_more(
    certificates: Path, connections: Pool, redis_url: str, plans: Plans, clock: Clock, desk: Desk
) -> None:
    behind = Clock(clock.now - timedelta(seconds=30))
    async with replica(certificates, connections, redis_url, plans, behind) as slow:
        hold = await desk.hold(3, seconds=20)
        assert (await slow.hold(2)).create_time == hold.create_time
        assert (await reason(slow.reserve()))[1] == "QUOTA_EXHAUSTED"
        await slow.settle(hold, 3)
        desk.clock.now += timedelta(hours=12)
        # A day later on one clock is a day later for the account.
        await desk.settle(await desk.hold(5), 5)
        assert (await reason(slow.reserve()))[1] == "QUOTA_EXHAUSTED"
        times = [entry.create_time.ToDatetime() for entry in (await desk.entries()).entries]
        assert times == sorted(times, reverse=True)


async def test_the_same_batch_at_both_at_once_takes_each_hold_once(desk: Desk, other_desk: Desk) -> None:
    await desk.grant(195)
    requests = [desk.reserve_request(1) for _ in range(200)]
    answers = await asyncio.gather(*(one.chat.BatchReserve(batch(requests)) for one in (desk, other_desk) * 2))
    assert {len({result.hold.name for result in answer.results}) for answer in answers} == {200}
    assert {result.hold.state for answer in answers for result in answer.results} == {HELD}
    holds = [result.hold for result in answers[0].results]
    settling = quota_pb2.BatchSettleRequest(
        requests=[quota_pb2.SettleRequest(name=hold.name, amounts=amounts({"chat": 1})) for hold in holds],
        all_or_nothing=True,
    )
    settled = await asyncio.gather(*(one.chat.BatchSettle(settling) for one in (desk, other_desk) * 2))
    assert settled[0] == settled[1] == settled[2] == settled[3]
    assert {result.hold.state for result in settled[0].results} == {SETTLED}
    meter = await desk.meter()
    assert (meter.used, meter.granted, meter.held) == (5, 0, 0)
