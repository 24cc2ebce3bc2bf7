"""Whatever RevenueCat sends, in whatever order and however often, comes to the same."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.payments.body import read
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.revenuecat.event import INFORMATION, PURCHASES, Event
from services.billing_svc.payments.revenuecat.folding import fold
from tests.unit.billing_svc.stores.archive import CATALOGUE
from tests.unit.billing_svc.stores.purchases import Line, event, ms, transfer

BUYERS = ["ada", "bob", "$RCAnonymousID:1", "$RCAnonymousID:2"]
DAYS = st.integers(0, 12)
buyers = st.sampled_from(BUYERS)


@st.composite
def purchases(draw: st.DrawFn) -> dict[str, Any]:
    """Any event of a few subscriptions and packs, of buyers with several names."""
    key, bought, user = draw(st.sampled_from("AB")), draw(DAYS), draw(buyers)
    price = draw(st.sampled_from([9.99, 0, -9.99, -4]))
    return event(
        draw(st.sampled_from(sorted(PURCHASES | INFORMATION))),
        draw(DAYS),
        app_user_id=user,
        original_app_user_id=draw(buyers),
        aliases=draw(st.lists(buyers, max_size=2)),
        product_id=draw(st.sampled_from(["pro_month", "max_month", "credits_small", "another"])),
        new_product_id=draw(st.sampled_from(["pro_year", "max_month", None])),
        period_type=draw(st.sampled_from(["NORMAL", "TRIAL", "PREPAID"])),
        purchased_at_ms=draw(st.sampled_from([ms(bought), None])),
        expiration_at_ms=draw(st.sampled_from([ms(bought + 7), None])),
        transaction_id=f"{key}{bought // 4}",
        original_transaction_id=key,
        cancel_reason=draw(st.sampled_from(["UNSUBSCRIBE", "CUSTOMER_SUPPORT", "BILLING_ERROR"])),
        expiration_reason=draw(st.sampled_from(["UNSUBSCRIBE", "CUSTOMER_SUPPORT", "SUBSCRIPTION_PAUSED"])),
        price=price,
        price_in_purchased_currency=price,
    )


@st.composite
def transfers(draw: st.DrawFn) -> dict[str, Any]:
    return transfer(draw(DAYS), draw(st.lists(buyers, max_size=2)), draw(st.lists(buyers, max_size=2)))


histories = st.lists(purchases() | transfers(), max_size=10).map(
    lambda history: [one | {"id": f"e{number}"} for number, one in enumerate(history)]
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A history, and the same in another order with some of it twice."""
    history = draw(histories)
    again = draw(st.lists(st.sampled_from(history), max_size=4)) if history else []
    return history, draw(st.permutations([*history, *again]))


@given(arrivals())
@settings(max_examples=300, deadline=None)
def test_any_order_and_any_repetition_folds_to_the_same(
    sent: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    history, arrived = ([read(Event, one) for one in part] for part in sent)
    assert fold(arrived, CATALOGUE) == fold(history, CATALOGUE)


async def said(line: Line, delivery: Delivery) -> Facts:
    try:
        return await line.revenuecat.facts(delivery)
    except NotOurs:
        return Facts()


async def kept(arrived: list[dict[str, Any]]) -> tuple[dict[str, object], dict[str, object]]:
    """The last that was said of each agreement and each payment when every delivery is worked on at once."""
    line = Line()
    agreements: dict[str, object] = {}
    payments: dict[str, object] = {}
    for one in arrived:
        facts = await said(line, line.arrives(one))
        agreements |= {agreement.id: agreement for agreement in facts.agreements}
        payments |= {payment.id: payment for payment in facts.payments}
    return agreements, payments


@given(arrivals())
@settings(max_examples=150, deadline=None)
def test_what_is_kept_while_events_arrive_ends_as_all_of_them_say(
    sent: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    history, arrived = sent
    first, second = asyncio.run(kept(history)), asyncio.run(kept(arrived))
    assert first[0] == second[0]
    final = fold([read(Event, one) for one in history], CATALOGUE)
    for payment in final.payments:
        assert first[1][payment.id] == payment == second[1][payment.id]


@given(arrivals())
@settings(max_examples=100, deadline=None)
def test_every_delivery_that_hangs_together_says_the_same(
    sent: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    async def everything() -> None:
        line = Line()
        deliveries = [line.arrives(one) for one in sent[1]]
        by_subjects: dict[str, Facts] = {}
        for delivery in deliveries:
            facts = await said(line, delivery)
            for subject in delivery.subjects:
                assert by_subjects.setdefault(subject, facts) == facts

    asyncio.run(everything())
