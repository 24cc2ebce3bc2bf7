"""RevenueCat's requests, and what they concern."""

from typing import Any

import pytest

from runtime.errors import FailedPrecondition, InvalidArgument, Unauthenticated
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.payments import reach
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.revenuecat import RevenueCat
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive
from tests.unit.billing_svc.stores.purchases import ANONYMOUS, DAY, HEADERS, NOW, Line, body, event, renewal, transfer


def test_a_delivery_is_known_by_the_events_own_id_and_time() -> None:
    sent = body(event("INITIAL_PURCHASE", 3, aliases=["ada", ANONYMOUS], transaction_id="t2"))
    assert Line().revenuecat.verified(HEADERS, sent, NOW) == Delivery(
        "INITIAL_PURCHASE-3",
        "INITIAL_PURCHASE",
        NOW + 3 * DAY,
        sent,
        (f"buyer:{ANONYMOUS}", "buyer:ada", "purchase:t1", "purchase:t2"),
    )


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Bearer other"}])
def test_a_request_without_the_agreed_value_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        Line().revenuecat.verified(headers, body(event("TEST", 0)), NOW)
    assert refused.value.reason == "BAD_SIGNATURE"


def test_every_agreed_value_proves_a_request() -> None:
    line = Line()
    for value in ("agreed before", "Bearer agreed"):
        line.revenuecat.verified({"authorization": value}, body(event("TEST", 0)), NOW)


def test_without_an_agreed_value_nothing_is_proved() -> None:
    open_to_all = RevenueCat([], CATALOGUE, Archive(), live=False)
    with pytest.raises(Unauthenticated):
        open_to_all.verified({"authorization": ""}, body(event("TEST", 0)), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 7},
        {"id": "x" * 300},
        {"id": "nul\0"},
        {"type": ""},
        {"event_timestamp_ms": None},
        {"event_timestamp_ms": -1},
        {"event_timestamp_ms": 10**18},
        {"event_timestamp_ms": True},
        {"aliases": "ada"},
        {"aliases": ["ada"] * 2000},
        {"price": "a lot"},
        {"price_in_purchased_currency": float("inf")},
        {"currency": "dollars of the U.S."},
        {"transaction_id": "\ud800"},
        {"expiration_at_ms": "tomorrow"},
    ],
)
def test_an_event_with_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        Line().revenuecat.verified(HEADERS, body(event("RENEWAL", 0) | change), NOW)
    assert refused.value.reason == "BAD_BODY"


async def test_a_test_is_none_of_ours() -> None:
    line = Line()
    with pytest.raises(NotOurs, match="test of the connection"):
        await line.revenuecat.facts(line.arrives(event("TEST", 0)))


async def test_an_event_of_tomorrow_is_kept_and_passed_over() -> None:
    line = Line()
    unknown = {"id": "e", "type": "LOYALTY_EARNED", "event_timestamp_ms": 1, "product_id": ["a", "b"], "aliases": 7}
    delivery = line.arrives(unknown)
    assert delivery.subjects == ()
    with pytest.raises(NotOurs, match="type that is not known"):
        await line.revenuecat.facts(delivery)


async def test_the_sandbox_counts_in_the_test_environment_alone() -> None:
    sandbox = event("INITIAL_PURCHASE", 0, environment="SANDBOX")
    test, live = Line(), Line(live=True)
    assert (await test.revenuecat.facts(test.arrives(sandbox))).users == {"ada"}
    with pytest.raises(NotOurs, match="sandbox"):
        await live.revenuecat.facts(live.arrives(sandbox))


async def test_a_sandbox_purchase_is_no_part_of_a_live_agreement() -> None:
    live = Line(live=True)
    live.arrives(renewal(30, "t2", environment="SANDBOX"))
    facts = await live.revenuecat.facts(live.arrives(event("INITIAL_PURCHASE", 0)))
    assert [one.period_end for one in facts.agreements] == [NOW + 30 * DAY]


async def test_what_is_not_ours_says_why() -> None:
    nobody = {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]}
    line = Line()
    with pytest.raises(NotOurs, match="No user is known"):
        await line.revenuecat.facts(line.arrives(event("INITIAL_PURCHASE", 0, **nobody)))
    other = Line()
    with pytest.raises(NotOurs, match="not on offer"):
        await other.revenuecat.facts(other.arrives(event("INITIAL_PURCHASE", 0, product_id="another")))
    third = Line()
    with pytest.raises(NotOurs, match="Nothing that was bought"):
        await third.revenuecat.facts(third.arrives(transfer(0, ["ada"], ["bob"])))


async def test_a_transfer_finds_what_it_moves_by_the_buyers_names() -> None:
    line = Line()
    line.arrives(event("INITIAL_PURCHASE", 0))
    facts = await line.revenuecat.facts(line.arrives(transfer(2, ["ada"], ["bob"])))
    assert [(one.id, one.user) for one in facts.agreements] == [("t1", "bob")]


async def test_purchases_are_reached_through_several_names() -> None:
    line = Line()
    nobody = {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": []}
    line.arrives(event("INITIAL_PURCHASE", 0, **nobody))
    line.arrives(transfer(1, [ANONYMOUS], ["$RCAnonymousID:second"]))
    line.arrives(transfer(2, ["$RCAnonymousID:second"], ["$RCAnonymousID:third"]))
    facts = await line.revenuecat.facts(line.arrives(transfer(3, ["$RCAnonymousID:third"], ["bob"])))
    assert [(one.id, one.user) for one in facts.agreements] == [("t1", "bob")]


async def test_a_name_that_everybody_has_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "DELIVERIES_MAX", 3)
    line = Line()
    for number in range(4):
        last = line.arrives(renewal(number, f"t{number}"))
    with pytest.raises(FailedPrecondition) as refused:
        await line.revenuecat.facts(last)
    assert refused.value.reason == "HISTORY_TOO_LONG"
