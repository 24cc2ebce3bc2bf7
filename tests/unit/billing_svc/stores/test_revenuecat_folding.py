"""What RevenueCat's events come to."""

from dataclasses import replace
from typing import Any

import pytest

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.payments.body import read
from services.billing_svc.payments.revenuecat.event import Event
from services.billing_svc.payments.revenuecat.folding import fold
from tests.unit.billing_svc.stores.archive import CATALOGUE
from tests.unit.billing_svc.stores.purchases import ANONYMOUS, DAY, NOW, event, ms, renewal, transfer

BOUGHT = event("INITIAL_PURCHASE", 0)
AGREEMENT = Agreement(
    Provider.REVENUECAT, "t1", "ada", "pro", Interval.MONTH, State.ACTIVE, start=NOW, period_end=NOW + 30 * DAY
)
LINE = Line("1", "plans/pro", 999, Interval.MONTH, NOW, NOW + 30 * DAY, credits=50)
PAYMENT = Payment(Provider.REVENUECAT, "t1", "ada", PaymentState.PAID, 999, "usd", NOW, (LINE,), agreement="t1")


def folded(*events: dict[str, Any]) -> Facts:
    return fold([read(Event, one) for one in events], CATALOGUE)


def agreement(*events: dict[str, Any]) -> Agreement:
    (one,) = folded(*events).agreements
    return one


def test_a_purchase_is_an_agreement_and_a_payment() -> None:
    assert folded(BOUGHT) == Facts((AGREEMENT,), (PAYMENT,))


def test_a_renewal_is_the_same_agreement_and_another_payment() -> None:
    end = NOW + 60 * DAY
    second = replace(PAYMENT, id="t2", time=NOW + 30 * DAY, lines=(replace(LINE, start=NOW + 30 * DAY, end=end),))
    assert folded(renewal(30, "t2"), BOUGHT) == Facts((replace(AGREEMENT, period_end=end),), (PAYMENT, second))


def test_a_trial_is_tried_and_not_paid() -> None:
    tried = event("INITIAL_PURCHASE", 0, period_type="TRIAL", price=0, price_in_purchased_currency=0)
    assert folded(tried) == Facts((replace(AGREEMENT, state=State.TRIALING, trial=True),))


def test_a_trial_that_is_paid_for_is_active_and_was_one() -> None:
    tried = event("INITIAL_PURCHASE", 0, period_type="TRIAL", price=0, price_in_purchased_currency=0)
    facts = folded(tried, renewal(30, "t2", is_trial_conversion=True))
    assert facts.agreements == (replace(AGREEMENT, period_end=NOW + 60 * DAY, trial=True),)
    assert [payment.id for payment in facts.payments] == ["t2"]


def test_a_price_in_another_currency_is_in_its_smallest_unit() -> None:
    yen = event("INITIAL_PURCHASE", 0, price=9.87, price_in_purchased_currency=1500, currency="JPY")
    (payment,) = folded(yen).payments
    assert (payment.cents, payment.currency, payment.lines[0].cents) == (1500, "jpy", 1500)


def test_what_is_cancelled_lasts_until_its_period_ends() -> None:
    cancelled = event("CANCELLATION", 3, cancel_reason="UNSUBSCRIBE", price=0, price_in_purchased_currency=0)
    assert folded(BOUGHT, cancelled) == Facts((replace(AGREEMENT, state=State.CANCELLED),), (PAYMENT,))


def test_a_cancellation_that_is_taken_back_never_was() -> None:
    cancelled = event("CANCELLATION", 3, cancel_reason="UNSUBSCRIBE", price=0)
    assert folded(BOUGHT, cancelled, event("UNCANCELLATION", 4, price=0)) == folded(BOUGHT)


def test_a_refund_ends_it_at_once_and_returns_the_money() -> None:
    refunded = event(
        "CANCELLATION", 3, cancel_reason="CUSTOMER_SUPPORT", price=-9.99, price_in_purchased_currency=-9.99
    )
    assert folded(BOUGHT, refunded) == Facts(
        (replace(AGREEMENT, state=State.EXPIRED),), (replace(PAYMENT, refunded=999),)
    )


def test_a_refund_without_an_amount_is_of_all_of_it() -> None:
    refunded = event("CANCELLATION", 3, cancel_reason="CUSTOMER_SUPPORT", price=0, price_in_purchased_currency=0)
    assert folded(BOUGHT, refunded).payments == (replace(PAYMENT, refunded=999),)


def test_a_part_that_goes_back_for_another_reason_ends_nothing() -> None:
    returned = event("CANCELLATION", 3, cancel_reason="DEVELOPER_INITIATED", price=-4, price_in_purchased_currency=-4)
    assert folded(BOUGHT, returned) == Facts((AGREEMENT,), (replace(PAYMENT, refunded=400),))


def test_a_refund_whose_purchase_was_lost_is_known_with_its_payment() -> None:
    refunded = event(
        "CANCELLATION", 3, cancel_reason="CUSTOMER_SUPPORT", price=-9.99, price_in_purchased_currency=-9.99
    )
    assert folded(refunded).payments == (replace(PAYMENT, refunded=999),)


def test_a_refund_that_is_reversed_gives_back_what_was_taken() -> None:
    refunded = event(
        "CANCELLATION", 3, cancel_reason="CUSTOMER_SUPPORT", price=-9.99, price_in_purchased_currency=-9.99
    )
    over = event("EXPIRATION", 3.1, expiration_reason="CUSTOMER_SUPPORT", expiration_at_ms=ms(3), price=0)
    assert folded(BOUGHT, refunded, over, event("REFUND_REVERSED", 5)) == folded(BOUGHT)


def test_a_refund_of_an_earlier_period_leaves_the_present_one() -> None:
    late = event("CANCELLATION", 31, cancel_reason="CUSTOMER_SUPPORT", price=-9.99, price_in_purchased_currency=-9.99)
    facts = folded(BOUGHT, renewal(30, "t2"), late)
    assert facts.agreements == (replace(AGREEMENT, period_end=NOW + 60 * DAY),)
    assert [payment.refunded for payment in facts.payments] == [999, 0]


def test_a_pause_takes_nothing_before_the_period_ends() -> None:
    paused = event("SUBSCRIPTION_PAUSED", 3, auto_resume_at_ms=ms(60), price=0)
    one = agreement(BOUGHT, paused)
    assert one == replace(AGREEMENT, state=State.PAUSED, resume_time=NOW + 60 * DAY)
    assert one.in_force(NOW + 29 * DAY)
    over = event("EXPIRATION", 30, expiration_reason="SUBSCRIPTION_PAUSED", price=0)
    assert agreement(BOUGHT, paused, over) == one


def test_a_pause_ends_with_the_next_charge() -> None:
    paused = event("SUBSCRIPTION_PAUSED", 3, auto_resume_at_ms=ms(60), price=0)
    assert agreement(BOUGHT, paused, renewal(60, "t2")) == replace(AGREEMENT, period_end=NOW + 90 * DAY)


def test_what_is_unpaid_lasts_through_the_grace_of_the_store() -> None:
    unpaid = event("BILLING_ISSUE", 30, grace_period_expiration_at_ms=ms(46), price=0)
    failed = event("CANCELLATION", 30, cancel_reason="BILLING_ERROR", price=0, price_in_purchased_currency=0)
    expected = replace(AGREEMENT, state=State.PAST_DUE, grace_end=NOW + 46 * DAY)
    assert agreement(BOUGHT, unpaid, failed) == expected
    assert agreement(failed, unpaid, BOUGHT) == expected


def test_a_charge_after_an_unpaid_one_makes_it_active() -> None:
    unpaid = event("BILLING_ISSUE", 30, grace_period_expiration_at_ms=ms(46), price=0)
    assert agreement(BOUGHT, unpaid, renewal(35, "t2")) == replace(AGREEMENT, period_end=NOW + 65 * DAY)


def test_what_has_expired_is_over_until_it_is_bought_again() -> None:
    expired = event("EXPIRATION", 30, expiration_reason="UNSUBSCRIBE", price=0)
    assert agreement(BOUGHT, expired) == replace(AGREEMENT, state=State.EXPIRED)
    assert agreement(BOUGHT, expired, renewal(90, "t2")) == replace(AGREEMENT, period_end=NOW + 120 * DAY)


def test_an_end_that_is_told_after_the_renewal_is_the_end_of_the_period_before() -> None:
    late = event("EXPIRATION", 31, expiration_reason="UNSUBSCRIBE", price=0)
    assert agreement(BOUGHT, renewal(30, "t2"), late) == replace(AGREEMENT, period_end=NOW + 60 * DAY)


def test_another_product_is_the_next_plan_until_it_is_charged() -> None:
    changed = event("PRODUCT_CHANGE", 3, new_product_id="max_month", price=0)
    planned = agreement(BOUGHT, changed)
    assert planned == replace(AGREEMENT, next_plan="max", next_interval=Interval.MONTH)
    charged = renewal(30, "t2", product_id="max_month")
    assert agreement(BOUGHT, changed, charged) == replace(AGREEMENT, plan="max", period_end=NOW + 60 * DAY)


def test_an_extension_moves_the_end_and_costs_nothing() -> None:
    longer = event("SUBSCRIPTION_EXTENDED", 3, expiration_at_ms=ms(40), price=0, price_in_purchased_currency=0)
    assert folded(BOUGHT, longer) == Facts((replace(AGREEMENT, period_end=NOW + 40 * DAY),), (PAYMENT,))


def test_access_for_a_day_while_the_store_is_down_renews_no_more() -> None:
    given = event(
        "TEMPORARY_ENTITLEMENT_GRANT", 0, expiration_at_ms=ms(1), price=None, price_in_purchased_currency=None
    )
    assert folded(given) == Facts((replace(AGREEMENT, state=State.CANCELLED, period_end=NOW + DAY),))


def test_a_pack_is_paid_for_once_and_is_no_agreement() -> None:
    pack = event(
        "NON_RENEWING_PURCHASE", 0, product_id="credits_small", expiration_at_ms=None, price=4.99, currency=None
    )
    line = Line("1", "packs/small", 499, credits=100)
    expected = replace(PAYMENT, cents=499, lines=(line,), agreement=None)
    assert folded(pack) == Facts(payments=(expected,))
    refunded = event(
        "CANCELLATION", 3, product_id="credits_small", cancel_reason="CUSTOMER_SUPPORT", price=-4.99, currency=None
    )
    assert folded(pack, refunded) == Facts(payments=(replace(expected, refunded=499),))


def test_a_plan_that_is_bought_once_lasts_one_interval() -> None:
    once = event("NON_RENEWING_PURCHASE", 0, expiration_at_ms=None)
    assert agreement(once) == replace(AGREEMENT, state=State.CANCELLED, period_end=NOW + 31 * DAY)


def test_nothing_is_said_of_products_that_are_not_ours() -> None:
    assert folded(event("INITIAL_PURCHASE", 0, product_id="another_app")) == Facts()


def test_a_renewal_with_a_product_that_is_not_ours_is_no_renewal() -> None:
    assert folded(BOUGHT, renewal(30, "t2", product_id="another_app")) == folded(BOUGHT)


def test_a_buyer_without_a_name_waits_for_one() -> None:
    nobody = {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]}
    assert folded(event("INITIAL_PURCHASE", 0, **nobody)) == Facts()


@pytest.mark.parametrize(
    "names",
    [
        {"app_user_id": "ada", "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]},
        {"app_user_id": ANONYMOUS, "original_app_user_id": "ada", "aliases": ["eve"]},
        {"app_user_id": ANONYMOUS, "original_app_user_id": "not a user of ours", "aliases": [ANONYMOUS, "ada"]},
    ],
)
def test_the_first_name_that_a_user_can_have_counts(names: dict[str, Any]) -> None:
    assert folded(event("INITIAL_PURCHASE", 0, **names)) == Facts((AGREEMENT,), (PAYMENT,))


@pytest.mark.parametrize(
    "named",
    [
        transfer(2, [ANONYMOUS], ["ada"]),
        event("SUBSCRIBER_ALIAS", 2, aliases=[ANONYMOUS]),
        event("SUBSCRIBER_ALIAS", -2, aliases=[ANONYMOUS]),
        event("VIRTUAL_CURRENCY_TRANSACTION", 2, aliases=[ANONYMOUS]),
    ],
)
def test_a_name_that_is_told_later_is_the_buyers(named: dict[str, Any]) -> None:
    nobody = {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]}
    bought = event("INITIAL_PURCHASE", 0, **nobody)
    assert folded(bought, named) == Facts((AGREEMENT,), (PAYMENT,))


def test_what_is_passed_on_is_the_others_and_the_payment_stays() -> None:
    assert folded(BOUGHT, transfer(5, ["ada"], ["bob"])) == Facts((replace(AGREEMENT, user="bob"),), (PAYMENT,))


def test_a_transfer_moves_nothing_that_was_bought_after_it() -> None:
    assert folded(BOUGHT, transfer(-5, ["ada"], ["bob"])) == folded(BOUGHT)


def test_what_is_passed_back_is_the_first_ones_again() -> None:
    there, back = transfer(5, ["ada"], ["bob"]), transfer(6, ["bob"], ["ada"])
    assert folded(BOUGHT, there, back) == folded(BOUGHT)


def test_what_is_passed_on_to_nobody_known_gives_nothing_until_it_is() -> None:
    lost = transfer(5, ["ada"], [ANONYMOUS])
    assert folded(BOUGHT, lost) == Facts((replace(AGREEMENT, state=State.EXPIRED),), (PAYMENT,))
    found = event("RENEWAL", 30, app_user_id="bob", original_app_user_id=ANONYMOUS, aliases=[ANONYMOUS])
    facts = folded(
        BOUGHT, lost, found | {"transaction_id": "t2", "purchased_at_ms": ms(30), "expiration_at_ms": ms(60)}
    )
    assert facts.agreements == (replace(AGREEMENT, user="bob", period_end=NOW + 60 * DAY),)
    assert [(payment.id, payment.user) for payment in facts.payments] == [("t1", "ada"), ("t2", "bob")]


def test_an_event_that_names_nobody_takes_nothing_from_the_owner() -> None:
    nobody = {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]}
    facts = folded(BOUGHT, renewal(30, "t2", **nobody))
    assert facts.agreements == (replace(AGREEMENT, period_end=NOW + 60 * DAY),)
    assert {payment.user for payment in facts.payments} == {"ada"}
