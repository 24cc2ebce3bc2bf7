"""Stripe's objects in our terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.errors import Internal
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.payments.stripe import objects
from services.billing_svc.payments.stripe.objects import Returned, legible
from tests.service.billing_svc.shop import CATALOGUE, MONTH
from tests.unit.billing_svc.stripe.things import (
    END,
    START,
    charge,
    dispute,
    intent,
    invoice,
    invoiced,
    later,
    line,
    schedule,
    seconds,
    subscription,
)

ACTIVE = Agreement(
    provider=Provider.STRIPE,
    id="sub_1",
    user="ann",
    plan="pro",
    interval=Interval.MONTH,
    state=State.ACTIVE,
    start=START - MONTH,
    period_end=END,
    customer="cus_ann",
)
UNPAID_SINCE = later(days=-7)
PAID = Payment(
    provider=Provider.STRIPE,
    id="in_1",
    user="ann",
    state=PaymentState.PAID,
    cents=1499,
    currency="usd",
    time=START,
    lines=(Line("il_1", "plans/pro", 1499, Interval.MONTH, START, END, credits=20),),
    agreement="sub_1",
    number="A-1",
    url="https://stripe.invalid/in_1",
)


def agreed(**others: Any) -> Agreement:
    return objects.agreement(subscription(**others), "ann", CATALOGUE)


def test_an_active_subscription_is_paid_for_until_its_period_ends() -> None:
    assert agreed() == ACTIVE


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ({"status": "trialing", "trial_start": 1}, {"state": State.TRIALING, "trial": True}),
        ({"cancel_at_period_end": True}, {"state": State.CANCELLED}),
        ({"cancel_at": seconds(END)}, {"state": State.CANCELLED}),
        ({"cancel_at": seconds(later(days=3))}, {"state": State.CANCELLED, "period_end": later(days=3)}),
        ({"cancel_at": seconds(END + MONTH)}, {"state": State.ACTIVE}),
        ({"status": "incomplete_expired"}, {"state": State.EXPIRED}),
        ({"status": "canceled", "ended_at": seconds(START)}, {"state": State.EXPIRED, "period_end": START}),
        ({"status": "canceled", "cancel_at_period_end": True}, {"state": State.EXPIRED}),
    ],
)
def test_a_status_says_how_an_agreement_stands(said: dict[str, Any], stands: dict[str, Any]) -> None:
    assert agreed(**said) == replace(ACTIVE, **stands)


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_an_unpaid_period_has_a_grace_from_its_beginning(status: str) -> None:
    stands = replace(ACTIVE, state=State.PAST_DUE, period_end=START, grace_end=START + CATALOGUE.grace)
    assert agreed(status=status, latest_invoice=invoice("open")) == stands


def test_the_grace_does_not_begin_anew_with_the_next_unpaid_period() -> None:
    found = objects.agreement(subscription(status="past_due"), "ann", CATALOGUE, UNPAID_SINCE)
    grace_end = UNPAID_SINCE + CATALOGUE.grace
    assert found == replace(ACTIVE, state=State.PAST_DUE, period_end=UNPAID_SINCE, grace_end=grace_end)


def test_what_was_never_paid_for_was_never_in_force() -> None:
    found = agreed(status="incomplete", latest_invoice=invoice("open", billing_reason="subscription_create"))
    assert found == replace(ACTIVE, state=State.PAST_DUE, period_end=START, grace_end=START)
    assert not found.in_force(START)


def test_a_paused_one_is_in_force_for_what_was_paid_for() -> None:
    resumes = seconds(END + MONTH)
    found = agreed(pause_collection={"behavior": "void", "resumes_at": resumes})
    assert found == replace(ACTIVE, state=State.PAUSED, resume_time=END + MONTH)


@pytest.mark.parametrize("status", ["void", "draft", "open"])
def test_a_paused_one_gives_nothing_in_a_period_that_began_in_the_pause(status: str) -> None:
    found = agreed(pause_collection={"behavior": "void", "resumes_at": None}, latest_invoice=invoice(status))
    assert found == replace(ACTIVE, state=State.PAUSED, period_end=START)


def test_one_that_goes_on_by_itself_waits_for_the_next_period_that_is_charged() -> None:
    found = agreed(latest_invoice=invoice("void"))
    assert found == replace(ACTIVE, state=State.PAUSED, period_end=START, resume_time=END)


def test_an_invoice_for_something_else_does_not_take_a_period_away() -> None:
    assert agreed(latest_invoice=invoice("void", billing_reason="subscription_update")) == ACTIVE


def test_a_cancelled_one_gives_nothing_in_a_period_that_nobody_was_charged_for() -> None:
    found = agreed(cancel_at_period_end=True, latest_invoice=invoice("void"))
    assert found == replace(ACTIVE, state=State.CANCELLED, period_end=START)


def test_a_schedule_says_what_comes_next() -> None:
    found = agreed(schedule=schedule("price_creator_week"))
    assert found == replace(ACTIVE, next_plan="creator", next_interval=Interval.WEEK)


@pytest.mark.parametrize("planned", [schedule("price_creator_week", "released"), schedule("price_else"), "sub_sched_1"])
def test_a_schedule_that_plans_nothing_of_ours_says_nothing(planned: Any) -> None:
    assert agreed(schedule=planned) == ACTIVE


def test_a_price_that_is_not_on_offer_is_nothing_of_ours() -> None:
    with pytest.raises(NotOurs, match="not on offer"):
        agreed(price="price_else")


def test_a_pack_is_no_subscription() -> None:
    with pytest.raises(NotOurs, match="not on offer"):
        agreed(price="price_credits_small")


@pytest.mark.parametrize("missing", [{"items": {"data": [{"price": "price_pro_month"}]}}, {"start_date": "soon"}])
def test_an_object_that_is_not_as_documented_is_a_failure_that_is_tried_again(missing: dict[str, Any]) -> None:
    with pytest.raises(Internal) as caught, legible():
        agreed(**missing)
    assert caught.value.reason == "PROVIDER_OBJECT_UNREADABLE"


def paid(returned: Returned = Returned(), **others: Any) -> Payment | None:  # noqa: B008 (a frozen value)
    return objects.invoice_payment(invoiced(**others), "ann", returned, CATALOGUE)


def test_a_paid_invoice_is_a_payment_with_its_lines() -> None:
    assert paid() == PAID


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ({"status": "open"}, {"state": PaymentState.OPEN, "failed": True}),
        ({"status": "open", "attempt_count": 0}, {"state": PaymentState.OPEN}),
        ({"status": "void"}, {"state": PaymentState.VOID}),
        ({"status": "uncollectible"}, {"state": PaymentState.VOID}),
        ({"amount_due": 0}, {"cents": 0}),
        ({"amount_due": 700}, {"cents": 700}),
        ({"number": None, "hosted_invoice_url": None}, {"number": "", "url": ""}),
    ],
)
def test_an_invoice_says_how_its_payment_stands(said: dict[str, Any], stands: dict[str, Any]) -> None:
    assert paid(**said) == replace(PAID, **stands)


def test_a_draft_is_no_payment_yet() -> None:
    assert paid(status="draft") is None


def test_a_proration_gives_no_credits_and_what_is_not_ours_gives_no_line() -> None:
    lines = (
        line("price_creator_week", -100, proration=True, name="il_rest"),
        line("price_pro_month", 900, proration=True, name="il_new"),
        line("price_else", 50, name="il_else"),
        line("price_pro_month", 1499, name="il_full"),
    )
    found = objects.invoice_payment(invoiced("paid", *lines), "ann", Returned(), CATALOGUE)
    assert found is not None
    assert found.lines == (
        Line("il_rest", "plans/creator", -100, Interval.WEEK, START, END, proration=True),
        Line("il_new", "plans/pro", 900, Interval.MONTH, START, END, proration=True),
        Line("il_full", "plans/pro", 1499, Interval.MONTH, START, END, credits=20),
    )


@pytest.mark.parametrize(
    ("back", "stands"),
    [
        (Returned(500), {"refunded": 500}),
        (Returned(1499), {"refunded": 1499}),
        (Returned(charged_back=1499), {"disputed": True}),
        (Returned(charged_back=400), {"refunded": 400}),
    ],
)
def test_money_that_went_back_is_refunded_or_disputed(back: Returned, stands: dict[str, Any]) -> None:
    assert paid(back) == replace(PAID, **stands)


@pytest.mark.parametrize(
    "status", ["won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"]
)
def test_a_dispute_that_takes_nothing_is_no_chargeback(status: str) -> None:
    assert objects.returned([charge(10, disputed=True)], [dispute(status, 499)]) == Returned(10)


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost", "appeal_under_review"])
def test_a_dispute_that_is_open_or_lost_is_a_chargeback(status: str) -> None:
    assert objects.returned([charge(0, disputed=True)], [dispute(status, 499)]) == Returned(0, 499)


PACK = CATALOGUE.packs[0]
PACK_PAID = Payment(
    provider=Provider.STRIPE,
    id="pi_1",
    user="ann",
    state=PaymentState.PAID,
    cents=499,
    currency="usd",
    time=START,
    lines=(Line("pack", "packs/small", 499, credits=100),),
)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ({}, {}),
        ({"status": "processing"}, {"state": PaymentState.OPEN}),
        ({"status": "canceled"}, {"state": PaymentState.VOID}),
        (
            {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}},
            {"state": PaymentState.OPEN, "failed": True},
        ),
    ],
)
def test_a_payment_for_a_pack_has_one_line(said: dict[str, Any], stands: dict[str, Any]) -> None:
    assert objects.pack_payment(intent(**said), "ann", Returned(), PACK) == replace(PACK_PAID, **stands)


def test_a_pack_that_a_promotion_code_gave_whole_is_paid_with_nothing() -> None:
    session = {"id": "cs_1", "amount_subtotal": 499, "currency": "usd", "created": seconds(START)}
    assert objects.free_pack(session, "ann", PACK) == replace(PACK_PAID, id="cs_1", cents=0)


def test_a_pack_that_is_not_on_offer_is_nothing_of_ours() -> None:
    with pytest.raises(NotOurs, match="not on offer"):
        objects.pack(intent(metadata={"pack": "huge"}), CATALOGUE)


@pytest.mark.parametrize("metadata", [None, {}, {"user_id": ""}, {"user_id": "a b"}, {"user_id": 7}, "ann"])
def test_metadata_without_a_user_names_nobody(metadata: Any) -> None:
    assert objects.user(metadata) is None
