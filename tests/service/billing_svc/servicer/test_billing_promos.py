"""Codes: who makes them, what they give, and to whom they are refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.postgres import Pool
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.effect import Grant, SetPlan, Source
from services.billing_svc.store import Effects
from tests.service.billing_svc.servicer.till import Till, refusal, whoever
from tests.service.billing_svc.shop import NOW, Clock, agreed

END = datetime(2100, 1, 1, tzinfo=UTC)
FREE = billing_pb2.Subscription(
    name="users/ann/subscription", plan="plans/free", state=billing_pb2.SUBSCRIPTION_STATE_ACTIVE
)
PRO_WEEK = {"plan_days": {"plan": "plans/pro", "days": 7}}


def moment(time: datetime) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(time)
    return told


async def waiting(effects: Effects, user: str = "ann") -> list[object]:
    async with effects.line(user) as line:
        assert line is not None
        return [one.effect for one in await line.waiting()]


async def tried(call: object) -> str:
    """The reason for a refusal; empty when there was none."""
    try:
        await call  # type: ignore[misc]
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return ""


async def test_a_code_is_told_as_it_was_made(till: Till) -> None:
    made = await till.create_code(
        "spring_26", redemptions_max=100, redemptions_max_per_user=2, expire_time=moment(END), gift=PRO_WEEK
    )
    assert made == billing_pb2.PromoCode(
        name="promoCodes/SPRING_26",
        gift=PRO_WEEK,
        redemptions_max=100,
        redemptions_max_per_user=2,
        expire_time=moment(END),
        create_time=moment(NOW),
    )
    plain = await till.create_code("plain")
    assert plain == billing_pb2.PromoCode(
        name="promoCodes/PLAIN", gift={"credits": 50}, redemptions_max_per_user=1, create_time=moment(NOW)
    )
    assert list((await till.codes()).promo_codes) == [plain, made]


async def test_a_code_exists_once_whatever_its_capitals(till: Till) -> None:
    await till.create_code("SPRING")
    assert await refusal(till.create_code("spring")) == "ALREADY_EXISTS PROMO_CODE_EXISTS"


@pytest.mark.parametrize("plan", ["plans/free", "plans/gold"])
async def test_a_code_gives_days_of_a_plan_that_is_on_offer(till: Till, plan: str) -> None:
    gift = {"plan_days": {"plan": plan, "days": 7}}
    assert await refusal(till.create_code("SPRING", gift=gift)) == "INVALID_ARGUMENT INVALID_ARGUMENT"


async def test_codes_are_listed_newest_first_a_page_at_a_time(till: Till, clock: Clock) -> None:
    for name in ("BBB", "AAA"):
        await till.create_code(name)
    clock.forward(days=1)
    await till.create_code("CCC")
    first = await till.codes(page_size=2)
    second = await till.codes(page_size=2, page_token=first.next_page_token)
    names = [one.name for one in (*first.promo_codes, *second.promo_codes)]
    assert (names, second.next_page_token) == (["promoCodes/CCC", "promoCodes/AAA", "promoCodes/BBB"], "")
    assert await refusal(till.codes(page_token="nonsense")) == "INVALID_ARGUMENT INVALID_ARGUMENT"


async def test_a_user_makes_no_codes(till: Till) -> None:
    request = billing_pb2.CreatePromoCodeRequest(code="MINE", gift={"credits": 1})
    assert await refusal(till.stub.CreatePromoCode(request, metadata=whoever("ann"))) == (
        "PERMISSION_DENIED CALLER_NOT_ALLOWED"
    )


async def test_a_code_gives_credits_once_for_a_request(till: Till, effects: Effects) -> None:
    await till.create_code("SPRING", redemptions_max_per_user=5)
    request_id = str(uuid4())
    told = await till.redeem("spring", request_id=request_id)
    assert told == billing_pb2.Redemption(promo_code="promoCodes/SPRING", gift={"credits": 50}, subscription=FREE)
    assert await till.redeem("spring", request_id=request_id) == told
    (grant,) = await waiting(effects)
    assert isinstance(grant, Grant)
    assert (grant.credits, grant.source) == (50, Source.PROMO)
    assert [one.redemptions for one in (await till.codes()).promo_codes] == [1]


async def test_a_redemption_whose_answer_was_lost_is_answered_when_it_is_asked_for_again(
    till: Till, effects: Effects, connections: Pool
) -> None:
    await till.create_code("SPRING")
    request_id = str(uuid4())
    told = await till.redeem("spring", request_id=request_id)
    await connections.execute("UPDATE requests SET answer = NULL, lease_time = $1", NOW)
    assert await till.redeem("spring", request_id=request_id) == told
    assert len(await waiting(effects)) == 1


async def test_two_users_may_come_with_the_same_request_id(till: Till, effects: Effects) -> None:
    await till.create_code("SPRING")
    await till.create_code("WEEK", gift=PRO_WEEK)
    bob, request_id = till.by(whoever("bob")), str(uuid4())
    for person in (till, bob):
        await person.redeem("SPRING", request_id=request_id)
    week = str(uuid4())
    for person in (till, bob):
        assert (await person.redeem("WEEK", request_id=week)).subscription.plan == "plans/pro"
    assert [len(await waiting(effects, user)) for user in ("ann", "bob")] == [2, 2]


async def test_a_code_gives_days_of_a_plan_that_end_by_themselves(till: Till, clock: Clock, effects: Effects) -> None:
    await till.create_code("WEEK", gift=PRO_WEEK)
    told = (await till.redeem("WEEK")).subscription
    assert told == await till.subscription()
    assert (told.plan, told.provider, told.state, told.period_end_time) == (
        "plans/pro",
        billing_pb2.PROVIDER_PROMO,
        billing_pb2.SUBSCRIPTION_STATE_CANCELLED,
        moment(NOW + timedelta(days=7)),
    )
    (change,) = await waiting(effects)
    assert isinstance(change, SetPlan)
    assert (change.plan, change.reset, change.anchor) == ("pro", True, NOW)
    clock.forward(days=7)
    assert await till.subscription() == FREE


async def test_days_of_the_same_plan_add_up(till: Till, clock: Clock) -> None:
    await till.create_code("WEEK", gift=PRO_WEEK, redemptions_max_per_user=2)
    await till.redeem("WEEK")
    clock.forward(days=1)
    await till.redeem("WEEK")
    assert (await till.subscription()).period_end_time == moment(NOW + timedelta(days=14))


async def test_days_stand_by_while_a_better_plan_is_paid_for(till: Till) -> None:
    await till.kept(agreed())
    await till.create_code("WEEK", gift={"plan_days": {"plan": "plans/creator", "days": 90}})
    told = (await till.redeem("WEEK")).subscription
    assert [(one.plan, one.in_force) for one in told.agreements] == [("plans/pro", True), ("plans/creator", True)]
    assert told.plan == "plans/pro"


async def test_a_code_that_cannot_be_redeemed_is_refused_with_the_reason(till: Till, clock: Clock) -> None:
    assert await refusal(till.redeem("NOTHING")) == "NOT_FOUND PROMO_CODE_NOT_FOUND"
    await till.create_code("ONCE", redemptions_max=1)
    await till.redeem("ONCE")
    assert await refusal(till.redeem("ONCE")) == "FAILED_PRECONDITION PROMO_CODE_REDEEMED"
    assert await refusal(till.by(whoever("bob")).redeem("ONCE")) == "FAILED_PRECONDITION PROMO_CODE_USED_UP"
    await till.create_code("ENDS", expire_time=moment(END))
    clock.now = END
    assert await refusal(till.redeem("ENDS")) == "FAILED_PRECONDITION PROMO_CODE_EXPIRED"


async def test_of_fifty_who_redeem_at_once_as_many_get_it_as_the_code_has(till: Till, connections: Pool) -> None:
    await till.create_code("RACE", redemptions_max=10)
    people = [till.by(whoever(f"user-{number}")) for number in range(50)]
    outcomes = await asyncio.gather(*(tried(person.redeem("RACE")) for person in people))
    assert sorted(outcomes) == [""] * 10 + ["FAILED_PRECONDITION"] * 40
    assert await connections.fetchval("SELECT count(*) FROM effects") == 10
    assert [one.redemptions for one in (await till.codes()).promo_codes] == [10]


async def test_who_redeems_twice_at_once_gets_it_once(till: Till, effects: Effects) -> None:
    await till.create_code("RACE")
    outcomes = await asyncio.gather(*(tried(till.redeem("RACE")) for _ in range(5)))
    assert sorted(outcomes) == [""] + ["FAILED_PRECONDITION"] * 4
    assert len(await waiting(effects)) == 1
