"""What Lemon Squeezy's objects come to."""

from dataclasses import replace
from typing import Any

import pytest

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from tests.unit.billing_svc.stores.shelf import DAY, NOW, Counter, invoice, iso, order, subscription

CREATED = subscription("created", 0)
PAID = invoice("success", 0)
AGREEMENT = Agreement(
    Provider.LEMON_SQUEEZY,
    "1",
    "ada",
    "pro",
    Interval.MONTH,
    State.ACTIVE,
    start=NOW,
    period_end=NOW + 30 * DAY,
    customer="7",
)
PAYMENT = Payment(
    Provider.LEMON_SQUEEZY,
    "invoice-31",
    "ada",
    PaymentState.PAID,
    999,
    "usd",
    NOW,
    (Line("1", "plans/pro", 999, Interval.MONTH, NOW, NOW + 31 * DAY, credits=50),),
    agreement="1",
    url="https://shop.example/31",
)
PACKS = Payment(
    Provider.LEMON_SQUEEZY,
    "order-5",
    "ada",
    PaymentState.PAID,
    998,
    "usd",
    NOW,
    (Line("1", "packs/small", 998, credits=200),),
    url="https://shop.example/5",
)


async def folded(*notices: dict[str, Any]) -> Facts:
    counter = Counter()
    deliveries = [counter.arrives(one) for one in notices]
    return await counter.shop.facts(deliveries[0])


async def agreement(*notices: dict[str, Any]) -> Agreement:
    (one,) = (await folded(*notices)).agreements
    return one


async def test_a_subscription_and_its_invoice_are_an_agreement_and_a_payment() -> None:
    assert await folded(CREATED, PAID) == Facts((AGREEMENT,), (PAYMENT,))


async def test_an_invoice_waits_for_its_subscription() -> None:
    with pytest.raises(NotOurs):
        await folded(PAID)
    assert await folded(PAID, CREATED) == Facts((AGREEMENT,), (PAYMENT,))


async def test_a_user_who_is_named_once_is_known_ever_after() -> None:
    later = subscription("updated", 5, user=None, renews_at=iso(61))
    assert await agreement(later, CREATED) == replace(AGREEMENT, period_end=NOW + 61 * DAY)


async def test_a_user_whom_only_the_order_names_is_found_through_it() -> None:
    plan: dict[str, Any] = {"first_order_item": {"variant_id": 11}, "total": 999}
    assert await agreement(subscription("created", 0, user=None), order("created", 0, **plan)) == AGREEMENT


async def test_the_state_that_was_saved_last_counts_whenever_it_arrives() -> None:
    cancelled = subscription("cancelled", 3, status="cancelled", ends_at=iso(30))
    resumed = subscription("resumed", 4)
    assert await agreement(CREATED, cancelled) == replace(AGREEMENT, state=State.CANCELLED)
    assert await agreement(resumed, cancelled, CREATED) == AGREEMENT


async def test_of_two_states_in_one_second_the_one_that_comes_later_in_a_life_counts() -> None:
    cancelled = subscription("cancelled", 0, status="cancelled", ends_at=iso(30))
    assert await agreement(cancelled, CREATED) == replace(AGREEMENT, state=State.CANCELLED)
    assert await agreement(CREATED, cancelled) == replace(AGREEMENT, state=State.CANCELLED)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"status": "on_trial", "trial_ends_at": iso(7), "renews_at": iso(7)},
            {"state": State.TRIALING, "period_end": NOW + 7 * DAY, "trial": True},
        ),
        (
            {"status": "paused", "pause": {"mode": "void", "resumes_at": iso(60)}, "renews_at": iso(60)},
            {"state": State.PAUSED, "resume_time": NOW + 60 * DAY},
        ),
        (
            {"status": "past_due", "renews_at": iso(34)},
            {"state": State.PAST_DUE, "grace_end": NOW + 37 * DAY},
        ),
        ({"status": "unpaid"}, {"state": State.PAST_DUE, "grace_end": NOW + 37 * DAY}),
        ({"status": "expired", "ends_at": iso(4)}, {"state": State.EXPIRED, "period_end": NOW + 4 * DAY}),
        ({"variant_id": 13}, {"plan": "max"}),
        ({"variant_id": 12, "renews_at": iso(365)}, {"interval": Interval.YEAR, "period_end": NOW + 365 * DAY}),
        ({"variant_id": 99}, {"state": State.EXPIRED}),
        ({"status": "hibernating"}, {}),
    ],
)
async def test_every_status_has_its_state(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert await agreement(CREATED, subscription("updated", 31, **fields)) == replace(AGREEMENT, **expected)


async def test_unpaid_from_the_first_state_that_is_known_counts_from_then() -> None:
    unpaid = subscription("updated", 31, status="past_due", renews_at=iso(34))
    again = subscription("updated", 34, status="past_due", renews_at=iso(38))
    expected = replace(AGREEMENT, state=State.PAST_DUE, period_end=NOW + 31 * DAY, grace_end=NOW + 38 * DAY)
    assert await agreement(unpaid, again) == expected


async def test_a_failed_payment_is_open_until_it_is_recovered() -> None:
    failed = invoice("failed", 0, status="pending")
    assert (await folded(CREATED, failed)).payments == (replace(PAYMENT, state=PaymentState.OPEN, failed=True),)
    assert (await folded(CREATED, failed, invoice("recovered", 2))).payments == (PAYMENT,)


async def test_a_payment_that_goes_back_is_refunded_by_as_much() -> None:
    part = invoice("refunded", 2, status="partial_refund", refunded_amount=300)
    whole = invoice("refunded", 3, status="refunded", refunded=True, refunded_amount=999)
    assert (await folded(CREATED, PAID, part)).payments == (replace(PAYMENT, refunded=300),)
    assert (await folded(CREATED, whole, part, PAID)).payments == (replace(PAYMENT, refunded=999),)


async def test_an_order_that_goes_back_returns_the_first_invoice() -> None:
    plan: dict[str, Any] = {
        "first_order_item": {"variant_id": 11},
        "total": 999,
        "status": "refunded",
        "refunded": True,
    }
    second = invoice("success", 31, number="32", billing_reason="renewal", created_at=iso(31))
    facts = await folded(CREATED, PAID, second, order("refunded", 2, **plan))
    assert [(one.id, one.refunded) for one in facts.payments] == [("invoice-31", 999), ("invoice-32", 0)]


async def test_an_invoice_for_a_change_gives_no_credits() -> None:
    change = invoice("success", 3, billing_reason="updated")
    line = Line("1", "plans/pro", 999, Interval.MONTH, proration=True)
    assert (await folded(CREATED, change)).payments == (replace(PAYMENT, lines=(line,)),)


async def test_an_invoice_is_for_the_plan_of_its_time() -> None:
    better = subscription("updated", 10, variant_id=13)
    facts = await folded(better, CREATED, PAID)
    assert [one.plan for one in facts.agreements] == ["max"]
    assert facts.payments == (PAYMENT,)


async def test_nothing_is_said_of_an_invoice_of_nothing() -> None:
    assert await folded(CREATED, invoice("success", 0, total=0)) == Facts((AGREEMENT,))


async def test_packs_are_an_order_with_as_many_credits_as_were_bought() -> None:
    assert await folded(order("created", 0)) == Facts(payments=(PACKS,))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "refunded", "refunded": True}, {"refunded": 998}),
        ({"status": "partial_refund", "refunded_amount": 400}, {"refunded": 400}),
        ({"status": "pending"}, {"state": PaymentState.OPEN}),
        ({"status": "failed"}, {"state": PaymentState.OPEN, "failed": True}),
        ({"status": "fraudulent"}, {"disputed": True}),
        ({"urls": {"receipt": "javascript:alert(1)"}}, {"url": ""}),
    ],
)
async def test_every_order_has_its_payment(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert await folded(order("refunded", 2, **fields)) == Facts(payments=(replace(PACKS, **expected),))


@pytest.mark.parametrize(
    "notice",
    [
        order("created", 0, user=None),
        order("created", 0, user="not a user of ours"),
        order("created", 0, first_order_item={"variant_id": 99}),
        subscription("created", 0, variant_id=99),
        subscription("created", 0, user=None),
    ],
)
async def test_what_is_nobodys_or_not_ours_is_passed_over(notice: dict[str, Any]) -> None:
    with pytest.raises(NotOurs):
        await folded(notice)
