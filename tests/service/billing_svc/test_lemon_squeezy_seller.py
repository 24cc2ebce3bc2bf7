"""Lemon Squeezy's checkout pages, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from runtime.errors import Internal, NotFound, Unavailable
from services.billing_svc.payments.asking import ANSWER_BYTES_MAX, asking
from services.billing_svc.payments.lemon_squeezy import LemonSqueezySeller
from services.billing_svc.payments.provider import Page
from tests.service.billing_svc.till import MONTH, NOW, SMALL, WEEK, Till, order, till

OPENED = {"data": {"type": "checkouts", "id": "ac470bd4", "attributes": {"url": "https://shop.example/ac470bd4"}}}


@asynccontextmanager
async def selling() -> AsyncIterator[tuple[LemonSqueezySeller, Till]]:
    async with till() as counter, asking() as web:
        counter.answers(201, OPENED)
        yield LemonSqueezySeller(web, counter.url, "the key", "3", lambda: NOW, test_mode=True), counter


async def test_a_checkout_says_who_buys_what_and_where_to_return() -> None:
    async with selling() as (seller, counter):
        page = await seller.checkout(order(MONTH, trial_days=7, promo_code="SPRING"))
    assert page == Page("ac470bd4", "https://shop.example/ac470bd4", NOW + timedelta(hours=24))
    (asked,) = counter.asked
    assert asked.path == "/v1/checkouts"
    assert {name: asked.headers[name] for name in ("authorization", "accept", "content-type")} == {
        "authorization": "Bearer the key",
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
    }
    assert asked.json == {
        "data": {
            "type": "checkouts",
            "attributes": {
                "checkout_data": {"custom": {"user_id": "ada"}, "discount_code": "SPRING"},
                "checkout_options": {"skip_trial": False},
                "product_options": {"redirect_url": "https://app.example/paid", "enabled_variants": [11]},
                "expires_at": "2026-03-02T00:00:00+00:00",
                "test_mode": True,
            },
            "relationships": {
                "store": {"data": {"type": "stores", "id": "3"}},
                "variant": {"data": {"type": "variants", "id": "11"}},
            },
        }
    }


async def test_a_pack_is_another_variant_and_has_no_trial() -> None:
    async with selling() as (seller, counter):
        await seller.checkout(order(SMALL))
    (asked,) = counter.asked
    attributes = asked.json["data"]["attributes"]
    assert attributes["checkout_data"] == {"custom": {"user_id": "ada"}}
    assert attributes["checkout_options"] == {"skip_trial": True}
    assert asked.json["data"]["relationships"]["variant"] == {"data": {"type": "variants", "id": "21"}}


async def test_what_it_does_not_sell_is_not_asked_for() -> None:
    async with selling() as (seller, counter):
        with pytest.raises(NotFound) as refused:
            await seller.checkout(order(WEEK))
    assert (refused.value.reason, counter.asked) == ("PLAN_NOT_FOUND", [])


async def test_a_code_that_it_does_not_know_is_not_found() -> None:
    pointer = {"pointer": "/data/attributes/checkout_data/discount_code"}
    async with selling() as (seller, counter):
        counter.answers(422, {"errors": [{"detail": "is invalid", "source": pointer}]})
        with pytest.raises(NotFound) as refused:
            await seller.checkout(order(MONTH, promo_code="AUTUMN"))
        assert refused.value.reason == "PROMO_CODE_NOT_FOUND"
        with pytest.raises(Internal):
            await seller.checkout(order(MONTH))


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (503, b"<html>"),
        (429, b"{}"),
        (200, b"<html>"),
        (201, b"[]"),
        (201, b" " * (ANSWER_BYTES_MAX + 1)),
    ],
    ids=["500", "503", "429", "html", "list", "huge"],
)
async def test_what_is_no_answer_is_worth_another_try(answer: tuple[int, bytes]) -> None:
    async with selling() as (seller, counter):
        counter.answer = answer
        with pytest.raises(Unavailable) as refused:
            await seller.checkout(order(MONTH))
    assert refused.value.reason == "PROVIDER_UNAVAILABLE"


@pytest.mark.parametrize(
    "answer",
    [
        (401, b"{}"),
        (404, b"{}"),
        (422, b'{"errors": "many"}'),
        (302, b"{}"),
        (201, b"{}"),
        (201, b'{"data": {"id": "1", "attributes": {"url": "javascript:alert(1)"}}}'),
    ],
    ids=["key", "address", "order", "elsewhere", "empty", "script"],
)
async def test_a_refusal_is_a_fault_of_the_settings_and_says_nothing_of_the_key(answer: tuple[int, bytes]) -> None:
    async with selling() as (seller, counter):
        counter.answer = answer
        with pytest.raises(Internal) as refused:
            await seller.checkout(order(MONTH, promo_code="SPRING"))
    assert refused.value.reason == "PROVIDER_REFUSED"
    assert "the key" not in str(refused.value)
    assert len(counter.asked) == 1


async def test_nobody_there_is_worth_another_try() -> None:
    async with selling() as (_, counter), asking() as web:
        gone = LemonSqueezySeller(web, "http://127.0.0.1:1", "the key", "3", lambda: NOW, test_mode=True)
        with pytest.raises(Unavailable):
            await gone.checkout(order(MONTH))
    assert counter.asked == []
