"""Holds: taken, extended, resolved once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.rpc.error_details_pb2 import BadRequest, QuotaFailure

from runtime.status import detail, error_info
from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import (
    EXPIRED,
    HELD,
    RELEASED,
    SETTLED,
    VOIDED,
    Desk,
    amounts,
    decision,
    operator,
    person,
    reason,
    refused,
)

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
EXHAUSTED = ("RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED")
RESOLVED = ("FAILED_PRECONDITION", "HOLD_RESOLVED")
AVAILABLE = quota_pb2.OVERAGE_AVAILABLE
BEST_EFFORT = quota_pb2.RESERVE_MODE_BEST_EFFORT


async def test_a_hold_keeps_its_amount_back_and_says_how_the_meter_stands(desk: Desk) -> None:
    request_id = uuid4()
    answer = await desk.reserve(2, seconds=90, request_id=request_id)
    assert answer == quota_pb2.ReserveResponse(
        hold=quota_pb2.Hold(
            name=f"users/ann/holds/{request_id}",
            lines=[quota_pb2.HoldLine(meter="chat", amount=2)],
            state=HELD,
            create_time=desk.clock.now,
            expire_time=desk.clock.now + timedelta(seconds=90),
        ),
        entitlement=quota_pb2.Entitlement(plan="plans/free", context_tokens=12_000),
        decisions=[
            quota_pb2.Decision(
                meter="chat",
                limit=5,
                held=2,
                remaining=3,
                reset_time=MIDNIGHT,
                local_reset_time="2026-11-22T00:00:00+00:00",
                outcome=quota_pb2.OUTCOME_ADMITTED,
                reason=quota_pb2.REASON_WITHIN_LIMIT,
                amount=2,
                plan="plans/free",
            )
        ],
    )
    assert (await desk.meter()).held == 2


async def test_a_refusal_says_why_until_when_and_what_would_unlock_it(desk: Desk) -> None:
    await desk.reserve(4)
    error = await refused(desk.reserve(2))
    message = (
        "This needs 2 chat turns and 1 of the 5 of today can still be used. "
        "They start anew at 2026-11-22T00:00:00+00:00; the Ten plan has 10 a day; "
        "bought credits pay for more, 1 for each."
    )
    assert decision(error) == quota_pb2.Decision(
        meter="chat",
        limit=5,
        held=4,
        remaining=1,
        reset_time=MIDNIGHT,
        local_reset_time="2026-11-22T00:00:00+00:00",
        outcome=quota_pb2.OUTCOME_REFUSED,
        reason=quota_pb2.REASON_LIMIT_REACHED,
        amount=2,
        soft_limit_reached=True,
        plan="plans/free",
        unlocks=[
            quota_pb2.Unlock(plan="plans/ten", display_name="Ten", amount=10, period="day"),
            quota_pb2.Unlock(plan="plans/pro", display_name="Pro", unlimited=True, period="day"),
            quota_pb2.Unlock(plan="plans/odd", display_name="Odd", amount=3, period="3 hours"),
        ],
        message=message,
    )
    assert (error.code().name, error.details()) == ("RESOURCE_EXHAUSTED", message)
    assert dict(error_info(error).metadata) == {
        "meter": "chat",
        "limit": "5",
        "used": "0",
        "held": "4",
        "plan": "plans/free",
        "reset_time": "2026-11-22T00:00:00Z",
    }


async def test_several_meters_are_taken_together_or_not_at_all(desk: Desk) -> None:
    await desk.grant(3, meter="credits")
    assert await reason(desk.reserve({"chat": 1, "credits": 4})) == EXHAUSTED
    assert (await desk.meter()).held == 0
    await desk.reserve({"chat": 1, "credits": 3})
    assert [(one.meter, one.held) for one in (await desk.quota()).meters] == [("chat", 1), ("credits", 3)]


async def test_best_effort_takes_what_is_left_and_refuses_when_that_is_nothing(desk: Desk) -> None:
    answer = await desk.reserve({"chat": 9, "video": 1}, mode=BEST_EFFORT)
    assert [(line.meter, line.amount) for line in answer.hold.lines] == [("chat", 5)]
    assert await reason(desk.reserve(1, mode=BEST_EFFORT)) == EXHAUSTED


async def test_the_same_request_gets_the_same_hold_as_it_stands_and_another_is_refused(desk: Desk) -> None:
    request_id = uuid4()
    hold = (await desk.reserve(2, request_id=request_id)).hold
    assert (await desk.reserve(2, request_id=request_id)).hold == hold
    settled = await desk.settle(hold, 1)
    settled.lines[0].ClearField("remaining_amount")
    assert (await desk.reserve(2, request_id=request_id)).hold == settled
    assert await reason(desk.reserve(3, request_id=request_id)) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert (await desk.meter()).used == 1


async def test_the_same_request_many_times_at_once_takes_one_hold(desk: Desk, other_desk: Desk) -> None:
    request_id = uuid4()
    calls = [(desk, other_desk)[number % 2].reserve(2, request_id=request_id) for number in range(50)]
    answers = await asyncio.gather(*calls)
    assert {answer.hold.name for answer in answers} == {f"users/ann/holds/{request_id}"}
    assert (await desk.meter()).held == 2


async def test_two_thousand_at_once_over_two_replicas_admit_exactly_the_credit(desk: Desk, other_desk: Desk) -> None:
    await desk.grant(95)
    calls = [(desk, other_desk)[number % 2].reserve() for number in range(2000)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    held = [answer for answer in answers if isinstance(answer, quota_pb2.ReserveResponse)]
    assert len({answer.hold.name for answer in held}) == 100
    refusals = {error_info(error).reason for error in answers if not isinstance(error, quota_pb2.ReserveResponse)}  # type: ignore[arg-type]
    assert refusals == {"QUOTA_EXHAUSTED"}
    assert (await desk.meter()).remaining == 0


async def test_a_hold_can_grow_and_live_longer_but_not_beyond_the_credit(desk: Desk) -> None:
    hold = await desk.hold(1)
    answer = await desk.extend(hold, 4, time_to_live=timedelta(seconds=600))
    assert (answer.hold.lines[0].amount, answer.decisions[0].remaining) == (4, 1)
    assert answer.hold.expire_time.ToDatetime(UTC) == desk.clock.now + timedelta(seconds=600)
    assert (await desk.extend(hold, 4)).hold == answer.hold
    assert await reason(desk.extend(hold, 6)) == EXHAUSTED
    assert (await desk.extend(hold, 6, mode=BEST_EFFORT)).hold.lines[0].amount == 5
    assert await reason(desk.extend(hold, 2)) == ("OUT_OF_RANGE", "AMOUNT_BELOW_HOLD")
    assert await reason(desk.extend(hold, {"video": 1})) == ("INVALID_ARGUMENT", "METER_NOT_HELD")
    settled = await desk.settle(hold, 5)
    assert await reason(desk.extend(settled, 5)) == RESOLVED


async def test_settling_charges_what_was_used_and_frees_the_rest(desk: Desk) -> None:
    usage = quota_pb2.Usage(resource="conversations/1/messages/2", model="m", input_tokens=3, output_tokens=4)
    hold = await desk.hold(4)
    settled = await desk.settle(hold, 3, usage)
    assert settled.state == SETTLED
    assert (settled.lines[0].settled_amount, settled.lines[0].remaining_amount) == (3, 2)
    assert await desk.settle(hold, 3, usage) == settled
    meter = await desk.meter()
    assert (meter.used, meter.held, meter.remaining) == (3, 0, 2)
    charge, allowance = (await desk.entries()).entries
    assert charge == quota_pb2.Entry(
        name="users/ann/entries/2",
        meter="chat",
        amount=3,
        kind=quota_pb2.ENTRY_KIND_CHARGE,
        debit=quota_pb2.ACCOUNT_AVAILABLE,
        credit=quota_pb2.ACCOUNT_CONSUMED,
        source=quota_pb2.SOURCE_PLAN,
        balance=2,
        hold=hold.name,
        usage=usage,
        create_time=desk.clock.now,
        credit_name=allowance.credit_name,
    )
    assert allowance.credit_name.startswith("users/ann/credits/")


async def test_more_than_is_held_is_refused_or_charged_as_far_as_credit_goes(desk: Desk) -> None:
    hold = await desk.hold(2)
    assert await reason(desk.settle(hold, 3)) == ("OUT_OF_RANGE", "AMOUNT_EXCEEDS_HOLD")
    assert (await desk.meter()).used == 0
    await desk.release(hold)
    generous = await desk.hold(2, overage=AVAILABLE)
    line = (await desk.settle(generous, 9)).lines[0]
    assert (line.settled_amount, line.uncovered_amount) == (5, 4)
    assert (await desk.meter()).remaining == 0


async def test_a_hold_resolves_once(desk: Desk) -> None:
    settled, released, voided, expired = [await desk.hold(1, seconds=60) for _ in range(4)]
    await desk.settle(settled, 1)
    await desk.release(released)
    await desk.void(voided)
    desk.clock.forward(seconds=60)
    assert (await desk.release(released)).state == RELEASED
    assert (await desk.release(voided)).state == VOIDED
    assert (await desk.release(expired)).state == EXPIRED
    assert await reason(desk.release(settled)) == RESOLVED
    for over in (released, voided, expired):
        assert await reason(desk.settle(over, 1)) == RESOLVED
    assert await reason(desk.settle(settled, 2)) == RESOLVED
    assert await reason(desk.void(expired)) == RESOLVED
    assert (await desk.meter()).used == 1


async def test_settling_and_releasing_at_once_does_one_of_them(desk: Desk, other_desk: Desk) -> None:
    for _ in range(20):
        hold = await desk.hold(1)
        outcomes = await asyncio.gather(desk.release(hold), other_desk.settle(hold, 1), return_exceptions=True)
        assert sorted(isinstance(outcome, quota_pb2.Hold) for outcome in outcomes) == [False, True]
        if isinstance(outcomes[1], quota_pb2.Hold):
            await desk.grant(1)


async def test_a_voided_hold_keeps_who_voided_it_and_why(desk: Desk) -> None:
    hold = await desk.hold(2)
    voided = await desk.void(hold, "the job was lost")
    assert (voided.state, voided.voided_by, voided.void_reason) == (VOIDED, "users/root", "the job was lost")
    assert await desk.void(hold, "again") == voided
    request = quota_pb2.VoidHoldRequest(name=hold.name, reason="mine")
    assert (await reason(desk.edge.VoidHold(request, metadata=person())))[0] == "PERMISSION_DENIED"
    listed = await desk.edge.ListHolds(
        quota_pb2.ListHoldsRequest(parent="users/ann", state=VOIDED), metadata=operator()
    )
    assert listed == quota_pb2.ListHoldsResponse(holds=[voided])


async def test_somebody_elses_hold_and_one_that_never_was_are_not_found(desk: Desk) -> None:
    hold = await desk.hold(1)
    for name in (hold.name.replace("ann", "bob"), f"users/ann/holds/{uuid4()}"):
        strange = quota_pb2.Hold(name=name)
        for call in (desk.settle(strange, 1), desk.release(strange), desk.extend(strange, 2), desk.void(strange)):
            assert await reason(call) == ("NOT_FOUND", "HOLD_NOT_FOUND")


async def test_a_shadow_limit_is_told_and_not_enforced(desk: Desk) -> None:
    await desk.set_plan("plans/odd")
    answer = await desk.reserve({"story": 5})
    told = answer.decisions[0]
    assert (told.outcome, told.shadow, told.remaining) == (quota_pb2.OUTCOME_REFUSED, True, 2)
    settled = await desk.settle(answer.hold, {"story": 5})
    assert settled.lines[0].settled_amount == 5
    assert (await desk.meter("story")).remaining == 0


async def test_a_rolling_window_gives_back_what_leaves_it(desk: Desk) -> None:
    await desk.set_plan("plans/odd")
    await desk.settle(await desk.hold(2), 2)
    desk.clock.forward(hours=1)
    await desk.settle(await desk.hold(1), 1)
    assert await reason(desk.reserve()) == EXHAUSTED
    assert (await desk.meter()).reset_time.ToDatetime(UTC) == desk.clock.now + timedelta(hours=2)
    desk.clock.forward(hours=2)
    meter = await desk.meter()
    assert (meter.limit, meter.used, meter.remaining) == (3, 1, 2)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"amounts": []}, "amounts"),
        ({"amounts": amounts({"chat": 0})}, "amounts[0].amount"),
        ({"amounts": amounts({"chat": -1})}, "amounts.amount"),
        ({"amounts": amounts({"chat": 2**63 - 1})}, "amounts.amount"),
        ({"amounts": [*amounts({"chat": 1}), *amounts({"chat": 1})]}, "amounts[1].meter"),
        ({"amounts": amounts({"chat": 1}) * 17}, "amounts"),
        ({"amounts": amounts({"Chat!": 1})}, "amounts.meter"),
        ({"parent": "users/"}, "parent"),
        ({"parent": "users/a b"}, "parent"),
        ({"request_id": "no"}, "request_id"),
        ({"time_to_live": timedelta(0)}, "time_to_live"),
        ({"time_to_live": timedelta(days=2)}, "time_to_live"),
        ({"mode": 9}, "mode"),
    ],
    ids=str,
)
async def test_a_request_that_breaks_a_rule_is_refused_by_its_field(desk: Desk, fault: dict, field: str) -> None:  # type: ignore[type-arg]
    request = desk.reserve_request(1)
    for name, value in fault.items():
        request.ClearField(name)
        request.MergeFrom(quota_pb2.ReserveRequest(**{name: value}))
    error = await refused(desk.chat.Reserve(request))
    bad = detail(error, BadRequest)
    assert error.code().name == "INVALID_ARGUMENT"
    assert bad is not None
    assert [violation.field for violation in bad.field_violations] == [field]
    assert (await desk.entries()).entries == []


async def test_an_unknown_meter_is_named_and_nothing_is_taken(desk: Desk) -> None:
    assert await reason(desk.reserve({"chat": 1, "stars": 1})) == ("INVALID_ARGUMENT", "METER_UNKNOWN")
    assert await reason(desk.grant(1, meter="stars")) == ("INVALID_ARGUMENT", "METER_UNKNOWN")
    assert (await desk.meter()).held == 0


async def test_settling_nothing_says_what_to_do_instead(desk: Desk) -> None:
    hold = await desk.hold(1)
    error = await refused(desk.settle(hold, 0))
    assert error.details() == "amounts: must charge at least one unit; Release gives a hold back without a charge"


async def test_a_refusal_goes_by_the_users_own_clock(desk: Desk) -> None:
    quota = quota_pb2.Quota(name="users/me/quota", time_zone="Asia/Kolkata")
    await desk.edge.UpdateQuota(quota_pb2.UpdateQuotaRequest(quota=quota), metadata=person())
    error = await refused(desk.reserve(6))
    failure = detail(error, QuotaFailure)
    assert failure is not None
    assert [(one.subject, one.description) for one in failure.violations] == [
        ("users/ann/meters/chat", decision(error).message)
    ]
    told = decision(error)
    assert (told.local_reset_time, told.reset_time.ToDatetime(UTC)) == (
        "2026-11-23T00:00:00+05:30",
        datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
    )


async def test_the_same_request_after_the_end_gets_the_hold_that_is_over(desk: Desk) -> None:
    request_id = uuid4()
    hold = (await desk.reserve(2, seconds=60, request_id=request_id)).hold
    desk.clock.forward(seconds=60)
    again = (await desk.reserve(2, seconds=60, request_id=request_id)).hold
    assert (again.name, again.state, again.resolve_time) == (hold.name, EXPIRED, hold.expire_time)
    assert (await desk.meter()).held == 0
    assert await reason(desk.extend(hold, 3)) == RESOLVED


async def test_another_wish_under_the_same_id_is_refused_whatever_it_differs_in(desk: Desk) -> None:
    request_id = uuid4()
    await desk.reserve(2, request_id=request_id)
    for other in (
        {"units": {"chat": 2, "video": 1}},
        {"units": 2, "mode": BEST_EFFORT},
        {"units": 2, "overage": AVAILABLE},
    ):
        assert await reason(desk.reserve(request_id=request_id, **other)) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    # Each user has request ids of their own.
    assert (await desk.reserve(1, user="bob", request_id=request_id)).hold.name == f"users/bob/holds/{request_id}"


async def test_meters_that_are_not_named_are_not_charged_and_ones_not_held_are_refused(desk: Desk) -> None:
    await desk.grant(3, meter="credits")
    hold = await desk.hold({"chat": 2, "credits": 3})
    assert await reason(desk.settle(hold, {"chat": 1, "video": 1})) == ("INVALID_ARGUMENT", "METER_NOT_HELD")
    settled = await desk.settle(hold, {"credits": 1, "chat": 0})
    assert [(line.meter, line.amount, line.settled_amount) for line in settled.lines] == [
        ("chat", 2, 0),
        ("credits", 3, 1),
    ]
    assert await desk.settle(hold, {"credits": 1}) == settled
    assert [(one.meter, one.remaining, one.held) for one in (await desk.quota()).meters] == [
        ("chat", 5, 0),
        ("credits", 2, 0),
    ]


async def test_a_charge_counts_in_the_period_that_it_was_held_in(desk: Desk) -> None:
    desk.clock.now = MIDNIGHT - timedelta(seconds=10)
    hold = await desk.hold(3)
    desk.clock.now = MIDNIGHT + timedelta(seconds=10)
    assert (await desk.meter()).remaining == 5
    await desk.settle(hold, 2)
    meter = await desk.meter()
    assert (meter.used, meter.held, meter.remaining) == (0, 0, 5)
    kinds = [(one.kind, one.amount) for one in (await desk.entries()).entries]
    assert kinds == [
        (quota_pb2.ENTRY_KIND_LAPSE, 1),
        (quota_pb2.ENTRY_KIND_CHARGE, 2),
        (quota_pb2.ENTRY_KIND_LAPSE, 2),
        (quota_pb2.ENTRY_KIND_ALLOWANCE, 5),
    ]


async def test_many_settlements_of_one_hold_at_once_charge_it_once(desk: Desk, other_desk: Desk) -> None:
    hold = await desk.hold(3)
    calls = [(desk, other_desk)[number % 2].settle(hold, 1 + number % 3) for number in range(30)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    settled = [one for one in outcomes if isinstance(one, quota_pb2.Hold)]
    assert len(settled) == 10
    assert (await desk.meter()).used == settled[0].lines[0].settled_amount
    assert [one.kind for one in (await desk.entries()).entries].count(quota_pb2.ENTRY_KIND_CHARGE) == 1


async def test_without_a_limit_everything_is_admitted_and_charged(desk: Desk) -> None:
    await desk.set_plan("plans/pro")
    answer = await desk.reserve(1_000_000_000)
    assert (answer.decisions[0].unlimited, answer.decisions[0].reason) == (True, quota_pb2.REASON_UNLIMITED)
    assert not (await desk.settle(answer.hold, 1_000_000_000)).lines[0].HasField("remaining_amount")
    assert (await desk.meter()).unlimited
    (charge,) = (await desk.entries()).entries
    assert (charge.amount, charge.debit, charge.balance) == (1_000_000_000, quota_pb2.ACCOUNT_ISSUED, 0)
