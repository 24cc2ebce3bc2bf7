"""What time does to accounts that nobody looks at, entered by the sweep."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.sweeping import USERS_MAX
from tests.service.quota_svc.desk import EXPIRED, Desk, operator, person, reason

FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)


async def holds(desk: Desk, user: str) -> list[quota_pb2.Hold]:
    request = quota_pb2.ListHoldsRequest(parent=f"users/{user}")
    return list((await desk.edge.ListHolds(request, metadata=operator())).holds)


async def test_a_hold_that_nobody_resolves_is_over_at_its_end_and_not_before(desk: Desk) -> None:
    hold = await desk.hold(2, seconds=60)
    desk.clock.forward(seconds=59.999)
    assert await desk.sweeping.sweep() == 0
    assert await holds(desk, "ann") == [hold]
    desk.clock.forward(seconds=0.001)
    assert await desk.sweeping.sweep() == 1
    assert await desk.sweeping.sweep() == 0
    hold.state = EXPIRED
    hold.resolve_time.CopyFrom(hold.expire_time)
    assert await holds(desk, "ann") == [hold]


async def test_more_users_than_one_sweep_takes_are_swept_by_the_next(desk: Desk) -> None:
    requests = [desk.reserve_request(1, user=f"user-{number}") for number in range(USERS_MAX + 7)]
    await desk.chat.BatchReserve(quota_pb2.BatchReserveRequest(requests=requests))
    desk.clock.forward(minutes=1)
    assert [await desk.sweeping.sweep() for _ in range(3)] == [USERS_MAX, 7, 0]


async def test_credit_begins_ends_and_rolls_over_each_dated_when_it_was_due(desk: Desk) -> None:
    now = desk.clock.now
    start, end = now + timedelta(hours=1), now + timedelta(hours=3)
    await desk.grant(4, meter="video", start_time=start, expire_time=end, rollover=1)
    desk.clock.forward(days=1)
    assert await desk.sweeping.sweep() == 1
    entries = reversed((await desk.entries(meter="video")).entries)
    assert [(one.kind, one.amount, one.create_time.ToDatetime(UTC)) for one in entries] == [
        (quota_pb2.ENTRY_KIND_GRANT, 4, start),
        (quota_pb2.ENTRY_KIND_LAPSE, 4, end),
        (quota_pb2.ENTRY_KIND_ROLLOVER, 1, end),
        (quota_pb2.ENTRY_KIND_LAPSE, 1, end + (end - start)),
    ]


async def test_a_sweep_and_the_users_own_requests_do_not_get_in_each_others_way(desk: Desk, other_desk: Desk) -> None:
    for _ in range(10):
        hold = await desk.hold(1, seconds=1)
        desk.clock.forward(seconds=1)
        outcomes = await asyncio.gather(
            other_desk.sweeping.sweep(), desk.release(hold), other_desk.hold(1, seconds=1), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [int, quota_pb2.Hold, quota_pb2.Hold]
        desk.clock.forward(seconds=1)
    meter = await desk.meter()
    assert (meter.used, meter.held, meter.remaining) == (0, 0, 5)


@pytest.mark.parametrize("moment", [datetime(1970, 1, 1, tzinfo=UTC)])
async def test_credit_from_long_ago_ends_like_any_other_and_holds_nobody_else_up(
    desk: Desk, other_desk: Desk, moment: datetime
) -> None:
    end = desk.clock.now + timedelta(hours=1)
    await desk.grant(4, meter="video", start_time=moment, expire_time=end, rollover=1)
    await desk.hold(1, user="bob", seconds=60)
    desk.clock.forward(hours=2)
    await other_desk.sweeping.sweep()
    assert [one.state for one in await holds(desk, "bob")] == [EXPIRED]
    assert (await desk.meter("video")).remaining == 1


@pytest.mark.parametrize("moment", [datetime(1970, 1, 1, tzinfo=UTC), datetime(8999, 12, 31, 23, 59, 59, tzinfo=UTC)])
async def test_months_can_be_counted_from_any_instant_in_any_zone(desk: Desk, moment: datetime) -> None:
    await desk.set_plan("plans/pro", anchor_time=moment)
    for zone in ("America/Los_Angeles", "Pacific/Kiritimati"):
        quota = quota_pb2.Quota(name="users/me/quota", time_zone=zone)
        await desk.edge.UpdateQuota(quota_pb2.UpdateQuotaRequest(quota=quota), metadata=person())
    assert (await desk.meter("image_generation")).remaining == 5
    await desk.settle(await desk.hold({"image_generation": 1}), {"image_generation": 1})
    assert (await desk.meter("image_generation")).remaining == 4


@pytest.mark.parametrize("moment", [FIRST_INSTANT, datetime(9999, 12, 31, tzinfo=UTC)])
async def test_an_instant_that_no_calendar_reckons_with_is_refused(desk: Desk, moment: datetime) -> None:
    assert (await reason(desk.set_plan("plans/pro", anchor_time=moment)))[0] == "INVALID_ARGUMENT"
    assert (await reason(desk.grant(4, start_time=moment)))[0] == "INVALID_ARGUMENT"
