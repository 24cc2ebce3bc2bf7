"""Lemon Squeezy's requests, and that their order is none of our business."""

import asyncio
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import InvalidArgument, Unauthenticated
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.payments.provider import Delivery
from tests.unit.billing_svc.stores.shelf import DAY, NOW, Counter, invoice, iso, notice, order, signed, subscription


def test_a_delivery_is_known_by_its_digest_and_the_time_of_saving() -> None:
    body = json.dumps(subscription("created", 3)).encode()
    assert Counter().shop.verified(signed(body), body, NOW) == Delivery(
        hashlib.sha256(body).hexdigest(), "subscription_created", NOW + 3 * DAY, body, ("subscription:1", "order:5")
    )


def test_every_secret_signs() -> None:
    body = json.dumps(order("created", 0)).encode()
    for secret in ("signed before", "signed here"):
        Counter().shop.verified(signed(body, secret), body, NOW)


def test_another_signature_or_another_body_is_refused() -> None:
    body = json.dumps(order("created", 0)).encode()
    right = signed(body)
    wrong = [({}, body), ({"x-signature": ""}, body), (signed(body, "other"), body), (right, body + b" ")]
    for headers, sent in wrong:
        with pytest.raises(Unauthenticated) as refused:
            Counter().shop.verified(headers, sent, NOW)
        assert refused.value.reason == "BAD_SIGNATURE"


@pytest.mark.parametrize(
    "one",
    [
        {},
        {"meta": {"event_name": "order_created"}},
        {"meta": [], "data": {"type": "orders", "id": "1"}},
        {"meta": {"event_name": "order_created"}, "data": {"type": "orders", "id": "1", "attributes": []}},
        order("created", 0, total=-1),
        order("created", 0, total=10**30),
        order("created", 0, updated_at="yesterday"),
        order("created", 0, updated_at="0001-01-01T00:00:00+14:00"),
        order("created", 0, first_order_item={"variant_id": 21, "quantity": 0}),
        subscription("created", 0, variant_id=None),
        subscription("created", 0, order_id=["5"]),
        invoice("success", 0, currency="nul\0"),
    ],
)
def test_a_notice_with_another_shape_is_refused(one: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        Counter().arrives(one)
    assert refused.value.reason == "BAD_BODY"


async def test_what_is_not_for_sale_is_kept_and_passed_over() -> None:
    counter = Counter()
    delivery = counter.arrives(notice("license_key_created", "license-keys", "1", "ada", {"key": "80e15db5"}))
    assert (delivery.event_time, delivery.subjects) == (NOW, ())
    with pytest.raises(NotOurs, match="not for sale"):
        await counter.shop.facts(delivery)


async def test_test_mode_counts_in_the_test_environment_alone() -> None:
    pretended = order("created", 0, test_mode=True)
    test, live = Counter(), Counter(live=True)
    assert (await test.shop.facts(test.arrives(pretended))).users == {"ada"}
    with pytest.raises(NotOurs, match="test mode"):
        await live.shop.facts(live.arrives(pretended))


STATUSES = ["on_trial", "active", "paused", "past_due", "unpaid", "cancelled", "expired", "hibernating"]
users = st.sampled_from(["ada", "bob", None])
days = st.integers(0, 6)


@st.composite
def notices(draw: st.DrawFn) -> dict[str, Any]:
    day, user = draw(days), draw(users)
    match draw(st.sampled_from(["subscription", "invoice", "order"])):
        case "subscription":
            fields = {"status": draw(st.sampled_from(STATUSES)), "renews_at": iso(draw(days) + 30)}
            return subscription("updated", day, user, variant_id=draw(st.sampled_from([11, 13, 99])), **fields)
        case "invoice":
            status = draw(st.sampled_from(["pending", "paid", "void", "partial_refund", "refunded"]))
            name = draw(st.sampled_from(["success", "failed"]))
            number = draw(st.sampled_from(["31", "32"]))
            return invoice(name, day, user, number, status=status, refunded_amount=draw(st.integers(0, 500)))
        case _:
            status = draw(st.sampled_from(["pending", "paid", "partial_refund", "refunded", "fraudulent"]))
            item = {"variant_id": draw(st.sampled_from([11, 21])), "quantity": 1}
            return order("created", day, user, draw(st.sampled_from(["5", "6"])), status=status, first_order_item=item)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    history = draw(st.lists(notices(), min_size=1, max_size=8))
    again = draw(st.lists(st.sampled_from(history), max_size=4))
    return history, draw(st.permutations([*history, *again]))


async def said(counter: Counter, delivery: Delivery) -> Facts:
    try:
        return await counter.shop.facts(delivery)
    except NotOurs:
        return Facts()


async def kept(arrived: list[dict[str, Any]]) -> dict[str, object]:
    """The last that was said of each agreement when each notice is worked on at once."""
    counter, agreements = Counter(), dict[str, object]()
    for one in arrived:
        facts = await said(counter, counter.arrives(one))
        agreements |= {agreement.id: agreement for agreement in facts.agreements}
    return agreements


@given(arrivals())
@settings(max_examples=200, deadline=None)
def test_any_order_and_any_repetition_ends_the_same(
    sent: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    async def final(arrived: list[dict[str, Any]]) -> dict[str, Facts]:
        counter = Counter()
        deliveries = [counter.arrives(one) for one in arrived]
        return {delivery.event_id: await said(counter, delivery) for delivery in deliveries}

    history, arrived = sent
    assert asyncio.run(final(history)) == asyncio.run(final(arrived))
    assert asyncio.run(kept(history)) == asyncio.run(kept(arrived))
