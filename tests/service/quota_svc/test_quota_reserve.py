import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest

from runtime.postgres import Pool
from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from tests.service.quota_svc.desk import EXPIRED, HELD, RELEASED, SETTLED, Desk, quota_failure, told

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


async def refused(call: object) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call  # type: ignore[misc]
    return refusal.value


async def test_a_hold_keeps_its_amount_back_and_tells_what_the_plan_allows(desk: Desk) -> None:
    answer = await desk.reserve(2, seconds=90)
    hold = quota_pb2.Hold(
        name=answer.hold.name,
        meter="chat",
        amount=2,
        state=HELD,
        create_time=desk.clock.now,
        expire_time=desk.clock.now + timedelta(seconds=90),
    )
    assert answer == quota_pb2.ReserveResponse(
        hold=hold, entitlement=quota_pb2.Entitlement(plan="plans/free", context_tokens=12_000)
    )
    assert answer.hold.name.startswith("users/ann/holds/")
    assert await desk.quota() == quota_pb2.Quota(
        name="users/ann/quota",
        plan="plans/free",
        meters=[quota_pb2.MeterQuota(meter="chat", limit=5, held=2, remaining=3, reset_time=MIDNIGHT)],
    )


async def test_exactly_ten_of_fifty_at_once_get_one_of_ten(desk: Desk) -> None:
    desk.billing.subscribe("ann", "plans/ten")
    answers = await asyncio.gather(*(desk.reserve() for _ in range(50)), return_exceptions=True)
    held = [answer for answer in answers if isinstance(answer, quota_pb2.ReserveResponse)]
    refusals = [told(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert len({answer.hold.name for answer in held}) == 10
    assert refusals == [("RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED")] * 40
    assert await desk.meter() == quota_pb2.MeterQuota(meter="chat", limit=10, held=10, reset_time=MIDNIGHT)


async def test_twenty_retries_at_once_take_one_hold(desk: Desk, connections: Pool) -> None:
    request_id = uuid4()
    answers = await asyncio.gather(*(desk.reserve(2, request_id=request_id) for _ in range(20)))
    assert [answer == answers[0] for answer in answers] == [True] * 20
    assert await connections.fetchval("SELECT count(*) FROM holds") == 1


async def test_a_retry_gives_the_hold_as_it_stands_by_then(desk: Desk) -> None:
    settled, released, expired = uuid4(), uuid4(), uuid4()
    first = await desk.reserve(2, request_id=settled)
    await desk.settle(first.hold, 1)
    await desk.release((await desk.reserve(1, request_id=released)).hold)
    await desk.reserve(1, request_id=expired, seconds=1)
    desk.clock.forward(seconds=1)
    again = await desk.reserve(2, request_id=settled)
    assert (again.hold.name, again.hold.state, again.hold.settled_amount) == (first.hold.name, SETTLED, 1)
    assert (await desk.reserve(1, request_id=released)).hold.state == RELEASED
    assert (await desk.reserve(1, request_id=expired, seconds=1)).hold.state == EXPIRED


@pytest.mark.parametrize("other", [{"amount": 2}, {"meter": "image_generation"}, {"seconds": 61}], ids=str)
async def test_a_request_id_is_refused_to_another_request(desk: Desk, other: dict[str, object]) -> None:
    request_id = uuid4()
    await desk.reserve(1, request_id=request_id)
    error = await refused(desk.reserve(**{"amount": 1, "request_id": request_id, **other}))  # type: ignore[arg-type]
    assert told(error) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")


async def test_two_users_may_use_the_same_request_id(desk: Desk) -> None:
    request_id = uuid4()
    ann = await desk.reserve(1, request_id=request_id)
    bob = await desk.reserve(1, request_id=request_id, user="bob")
    assert ann.hold.name != bob.hold.name


async def test_an_empty_meter_is_refused_with_its_figures(desk: Desk) -> None:
    await desk.settle(await desk.hold(3), 3)
    await desk.hold(2)
    error = await refused(desk.reserve())
    message = (
        "All 5 chat turns of today are used or held by work in progress. "
        "They start anew at 2026-11-22T00:00:00Z; the Ten plan has 10 a day."
    )
    assert (told(error), error.details()) == (("RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED"), message)
    assert dict(error_info(error).metadata) == {
        "meter": "chat",
        "limit": "5",
        "used": "3",
        "held": "2",
        "plan": "plans/free",
        "reset_time": "2026-11-22T00:00:00Z",
    }
    (violation,) = quota_failure(error).violations
    assert (violation.subject, violation.description) == ("users/ann/meters/chat", message)


async def test_a_meter_that_the_plan_does_not_know_is_refused_with_limit_0(desk: Desk) -> None:
    error = await refused(desk.reserve(meter="video"))
    assert told(error) == ("RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED")
    assert error.details() == "The Free plan has no video units: its limit is 0."


async def test_a_meter_without_limit_takes_holds_too(desk: Desk) -> None:
    desk.billing.subscribe("ann", "plans/pro")
    await desk.settle(await desk.hold(1_000_000), 999_999)
    await desk.hold(7)
    assert await desk.meter() == quota_pb2.MeterQuota(
        meter="chat", unlimited=True, used=999_999, held=7, reset_time=MIDNIGHT
    )


async def test_a_hold_gives_itself_back_at_its_time(desk: Desk) -> None:
    hold = await desk.hold(5, seconds=60)
    desk.clock.forward(seconds=59.999999)
    assert (await desk.meter()).remaining == 0
    desk.clock.forward(seconds=0.000001)
    assert (await desk.meter()).remaining == 5
    await desk.hold(5)
    assert told(await refused(desk.settle(hold, 1))) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")


async def test_credit_that_expired_for_one_process_is_not_settled_by_one_whose_clock_is_behind(desk: Desk) -> None:
    hold = await desk.hold(5, seconds=60)
    desk.clock.forward(seconds=60)
    await desk.hold(5, seconds=60)
    desk.clock.forward(seconds=-30)
    assert told(await refused(desk.settle(hold, 5))) == ("FAILED_PRECONDITION", "HOLD_RESOLVED")


async def test_an_allowance_starts_anew_at_midnight(desk: Desk) -> None:
    desk.clock.now = MIDNIGHT - timedelta(microseconds=1)
    await desk.hold(5)
    await refused(desk.reserve())
    desk.clock.now = MIDNIGHT
    assert (await desk.meter()).remaining == 5
    await desk.hold(5)


async def test_a_charge_counts_on_the_day_when_its_hold_was_taken(desk: Desk) -> None:
    desk.clock.now = MIDNIGHT - timedelta(seconds=1)
    hold = await desk.hold(5)
    desk.clock.forward(seconds=2)
    await desk.settle(hold, 4)
    assert await desk.meter() == quota_pb2.MeterQuota(
        meter="chat", limit=5, remaining=5, reset_time=MIDNIGHT + timedelta(days=1)
    )


async def test_a_person_may_not_reserve(desk: Desk) -> None:
    stub = QuotaServiceStub(desk.dial("edge"))
    request = quota_pb2.ReserveRequest(
        parent="users/ann", request_id=str(uuid4()), meter="chat", amount=1, time_to_live=timedelta(seconds=9)
    )
    error = await refused(stub.Reserve(request, metadata=(("x-user-id", "ann"), ("x-user-role", "operator"))))
    assert told(error) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parent", ""),
        ("parent", "users/a/b"),
        ("parent", "users/" + "a" * 129),
        ("request_id", "7"),
        ("meter", "Chat"),
        ("meter", "a" * 41),
        ("amount", 0),
        ("amount", -1),
        ("amount", 1_000_001),
        ("amount", 2**63 - 1),
        ("time_to_live", timedelta(milliseconds=999)),
        ("time_to_live", timedelta(seconds=3601)),
    ],
)
async def test_a_request_beyond_its_limits_is_refused_with_its_field(desk: Desk, field: str, value: object) -> None:
    sound: dict[str, object] = {
        "parent": "users/ann",
        "request_id": str(uuid4()),
        "meter": "chat",
        "amount": 1,
        "time_to_live": timedelta(seconds=9),
    }
    request = quota_pb2.ReserveRequest(**{**sound, field: value})  # type: ignore[arg-type]
    error = await refused(desk.chat.Reserve(request))
    assert told(error) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert (error.details() or "").startswith(f"{field}: ")
