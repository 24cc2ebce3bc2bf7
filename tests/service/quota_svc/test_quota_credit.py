"""Credit beside and under plans: granted, corrected, moved between plans and time zones."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import Desk, person, reason

REUSED = ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
PROMO, PURCHASE = quota_pb2.SOURCE_PROMO, quota_pb2.SOURCE_PURCHASE
CHARGEBACK = quota_pb2.ADJUSTMENT_REASON_CHARGEBACK


async def update_zone(desk: Desk, zone: str, **more: object) -> quota_pb2.Quota:
    quota = quota_pb2.Quota(name="users/me/quota", time_zone=zone)
    return await desk.edge.UpdateQuota(quota_pb2.UpdateQuotaRequest(quota=quota, **more), metadata=person())  # type: ignore[arg-type]


async def test_a_grant_is_used_after_the_plan_and_the_same_grant_again_is_the_same(desk: Desk) -> None:
    request_id = uuid4()
    credit = await desk.grant(3, request_id=request_id)
    assert credit == quota_pb2.Credit(
        name=f"users/ann/credits/{request_id}",
        meter="chat",
        amount=3,
        source=PURCHASE,
        priority=100,
        start_time=desk.clock.now,
    )
    assert await desk.grant(3, request_id=request_id) == credit
    assert await reason(desk.grant(4, request_id=request_id)) == REUSED
    await desk.settle(await desk.hold(6), 6)
    meter = await desk.meter()
    assert (meter.used, meter.granted, meter.remaining) == (5, 2, 2)
    desk.clock.forward(days=400)
    assert (await desk.meter()).granted == 2, "bought credit never ends"


async def test_credit_is_drawn_on_by_priority_and_then_by_soonest_end(desk: Desk) -> None:
    soon, later = desk.clock.now + timedelta(days=1), desk.clock.now + timedelta(days=9)
    grants = {
        "last": await desk.grant(1, meter="credits", priority=200),
        "second": await desk.grant(1, meter="credits", expire_time=later),
        "first": await desk.grant(1, meter="credits", expire_time=soon, source=PROMO),
        "zeroth": await desk.grant(1, meter="credits", priority=1, expire_time=later),
    }
    names = {grant.name: order for order, grant in grants.items()}
    seen: list[quota_pb2.Source] = []
    for _ in range(4):
        await desk.settle(await desk.hold({"credits": 1}), {"credits": 1})
        left = await desk.adjust(1, meter="credits")
        await desk.adjust(-1, meter="credits")
        assert left.balance == len(names) - len(seen)
        seen.append((await desk.entries(meter="credits", page_size=3)).entries[2].source)
    assert seen == [PURCHASE, PROMO, PURCHASE, PURCHASE]


async def test_scheduled_credit_begins_and_expiring_credit_ends_by_itself(desk: Desk) -> None:
    start, end = desk.clock.now + timedelta(hours=1), desk.clock.now + timedelta(hours=3)
    await desk.grant(4, meter="video", start_time=start, expire_time=end)
    assert [one.meter for one in (await desk.quota()).meters if one.remaining] == ["chat"]
    desk.clock.forward(hours=1)
    assert (await desk.meter("video")).remaining == 4
    await desk.settle(await desk.hold({"video": 1}), {"video": 1})
    desk.clock.forward(days=1)
    await desk.sweeping.sweep()
    lapse = (await desk.entries(meter="video")).entries[0]
    assert (lapse.kind, lapse.amount, lapse.balance) == (quota_pb2.ENTRY_KIND_LAPSE, 3, 0)
    assert lapse.create_time.ToDatetime(UTC) == end


async def test_what_rolls_over_lives_as_long_again(desk: Desk) -> None:
    end = desk.clock.now + timedelta(hours=2)
    await desk.grant(5, meter="video", expire_time=end, rollover=2)
    desk.clock.forward(hours=2)
    assert (await desk.meter("video")).remaining == 2
    desk.clock.forward(hours=2)
    assert [one.meter for one in (await desk.quota()).meters if one.remaining] == ["chat"]


@pytest.mark.parametrize(
    "fault",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 2**63 - 1},
        {"source": quota_pb2.SOURCE_PLAN},
        {"source": 0},
        {"priority": 1001},
        {"rollover": 1},
        {"expire_time": datetime(2020, 1, 1, tzinfo=UTC)},
        {"start_time": datetime(2027, 1, 2, tzinfo=UTC), "expire_time": datetime(2027, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
async def test_a_grant_that_breaks_a_rule_is_refused(desk: Desk, fault: dict[str, object]) -> None:
    assert await reason(desk.grant(**{"amount": 1, **fault})) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")  # type: ignore[arg-type]
    assert (await desk.entries()).entries == []


async def test_a_chargeback_may_go_below_zero_says_so_and_blocks_the_meter(desk: Desk) -> None:
    credit = await desk.grant(10, meter="credits")
    await desk.settle(await desk.hold({"credits": 8}), {"credits": 8})
    request_id = uuid4()
    back = await desk.adjust(-10, meter="credits", credit=credit.name, reason=CHARGEBACK, request_id=request_id)
    assert (back.balance, back.overdrawn) == (-8, True)
    assert await desk.adjust(-10, meter="credits", credit=credit.name, reason=CHARGEBACK, request_id=request_id) == back
    assert await reason(desk.adjust(-9, meter="credits", request_id=request_id)) == REUSED
    meter = await desk.meter("credits")
    assert (meter.remaining, meter.reason) == (-8, quota_pb2.REASON_IN_DEBT)
    await desk.grant(8, meter="credits")
    assert (await reason(desk.reserve({"credits": 1})))[1] == "QUOTA_EXHAUSTED"
    assert (await desk.adjust(3, meter="credits")).balance == 3
    await desk.reserve({"credits": 3})


async def test_only_what_is_there_can_be_corrected(desk: Desk) -> None:
    assert await reason(desk.adjust(-1)) == ("NOT_FOUND", "ACCOUNT_NOT_FOUND")
    other = await desk.grant(1, user="bob")
    mine = await desk.grant(1)
    strange = f"users/ann/credits/{uuid4()}"
    for meter, name in (("chat", other.name), ("video", mine.name), ("chat", strange)):
        assert await reason(desk.adjust(-1, meter=meter, credit=name)) == ("NOT_FOUND", "CREDIT_NOT_FOUND")
    assert (await reason(desk.adjust(0)))[0] == "INVALID_ARGUMENT"
    assert (await desk.meter()).granted == 1


async def test_a_larger_plan_counts_what_was_used_and_a_purchase_forgets_it(desk: Desk) -> None:
    await desk.settle(await desk.hold(3), 3)
    request_id = uuid4()
    change = await desk.set_plan("plans/ten", request_id=request_id)
    assert (change.name, change.previous_plan) == (f"users/ann/planChanges/{request_id}", "plans/free")
    assert await desk.set_plan("plans/ten", request_id=request_id) == change
    assert await reason(desk.set_plan("plans/pro", request_id=request_id)) == REUSED
    meter = await desk.meter()
    assert (meter.limit, meter.used, meter.remaining) == (10, 3, 7)
    await desk.set_plan("plans/ten", usage=quota_pb2.USAGE_RULE_RESET)
    assert (await desk.meter()).remaining == 10


async def test_changing_to_and_fro_refills_nothing(desk: Desk) -> None:
    await desk.settle(await desk.hold(5), 5)
    for plan in ("plans/ten", "plans/odd", "plans/pro", "plans/odd", "plans/free"):
        await desk.set_plan(plan)
    meter = await desk.meter()
    assert (meter.limit, meter.used, meter.remaining) == (5, 5, 0)


async def test_a_smaller_plan_leaves_holds_and_granted_credit_alone(desk: Desk) -> None:
    await desk.set_plan("plans/ten")
    await desk.settle(await desk.hold(7), 7)
    hold = await desk.hold(2)
    await desk.grant(4)
    await desk.set_plan("plans/free")
    meter = await desk.meter()
    assert (meter.limit, meter.used, meter.granted, meter.remaining) == (5, 9, 4, 4)
    assert (await desk.settle(hold, 2)).lines[0].settled_amount == 2


async def test_a_plan_that_is_not_on_offer_is_not_found(desk: Desk) -> None:
    assert await reason(desk.set_plan("plans/gold")) == ("NOT_FOUND", "PLAN_NOT_FOUND")
    assert (await desk.quota()).plan == "plans/free"


async def test_months_begin_at_the_subscriptions_own_day_and_hour(desk: Desk) -> None:
    anchor = datetime(2026, 10, 31, 9, 30, tzinfo=UTC)
    await desk.set_plan("plans/pro", anchor_time=anchor)
    reset = (await desk.meter("image_generation")).reset_time.ToDatetime(UTC)
    assert reset == datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


async def test_an_allowance_starts_anew_at_the_users_midnight(desk: Desk) -> None:
    desk.clock.now = datetime(2026, 3, 26, 12, tzinfo=UTC)
    quota = await update_zone(desk, "Europe/Berlin")
    # Not the midnight before: that comes an hour before the running day, of UTC, is over.
    assert (quota.time_zone, quota.meters[0].local_reset_time) == ("Europe/Berlin", "2026-03-28T00:00:00+01:00")
    desk.clock.now = datetime(2026, 3, 28, 23, tzinfo=UTC)
    await desk.settle(await desk.hold(5), 5)
    # The clocks go forward on this Sunday: its day has 23 hours.
    assert (await desk.meter()).reset_time.ToDatetime(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    desk.clock.now = datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert (await desk.meter()).remaining == 5


async def test_no_change_of_zone_gives_credit_early(desk: Desk) -> None:
    await desk.settle(await desk.hold(5), 5)
    ends = []
    for zone in ("Pacific/Kiritimati", "Asia/Tokyo", "America/Los_Angeles", "UTC"):
        await update_zone(desk, zone)
        meter = await desk.meter()
        assert meter.remaining == 0
        ends.append(meter.reset_time.ToDatetime(UTC))
    assert ends == sorted(ends)
    assert ends[0] >= datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "more"),
    [("", {}), ("Mars/Olympus", {}), ("../etc/passwd", {}), ("UTC", {"update_mask": {"paths": ["plan"]}})],
)
async def test_an_unknown_zone_and_another_field_are_refused(desk: Desk, zone: str, more: dict[str, object]) -> None:
    assert (await reason(update_zone(desk, zone, **more)))[0] == "INVALID_ARGUMENT"
    assert (await desk.quota()).time_zone == "UTC"


async def test_credits_pay_for_turns_when_the_plan_has_none_left(desk: Desk) -> None:
    await desk.grant(2, meter="credits")
    await desk.settle(await desk.hold(5), 5)
    hold = await desk.hold(1)
    assert [(line.meter, line.amount) for line in hold.lines] == [("credits", 1)]
    await desk.settle(hold, {"credits": 1})
    assert [(one.meter, one.remaining) for one in (await desk.quota()).meters] == [("chat", 0), ("credits", 1)]
    assert await reason(desk.reserve(2)) == ("RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED")
