"""Cryptomus' pages, over HTTP; and that what is asked for comes back as what was bought."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from runtime.errors import Internal, NotFound, Unavailable
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.asking import asking
from services.billing_svc.payments.cryptomus import Cryptomus, CryptomusSeller
from services.billing_svc.payments.provider import Delivery, Page
from tests.service.billing_svc.till import CATALOGUE, MONTH, NOW, SMALL, WEEK, Till, order, till

KEY = "the key"
OPENED = {"state": 0, "result": {"uuid": "26109ba0", "url": "https://pay.example/26109ba0", "expired_at": 1772326800}}
PAGE = Page("26109ba0", "https://pay.example/26109ba0", datetime(2026, 3, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def selling() -> AsyncIterator[tuple[CryptomusSeller, Till]]:
    async with till() as counter, asking() as web:
        counter.answers(200, OPENED)
        callback = "https://edge.example/v1/webhooks/cryptomus"
        yield CryptomusSeller(web, counter.url, "merchant", KEY, callback, test_mode=True), counter


def signature(body: bytes) -> str:
    return hashlib.md5(base64.b64encode(body) + KEY.encode()).hexdigest()


async def test_a_payment_is_signed_and_says_who_buys_what() -> None:
    async with selling() as (seller, counter):
        assert await seller.checkout(order(MONTH)) == PAGE
    (asked,) = counter.asked
    assert asked.path == "/v1/payment"
    assert (asked.headers["merchant"], asked.headers["sign"]) == ("merchant", signature(asked.body))
    assert asked.json == {
        "amount": "9.99",
        "currency": "USD",
        "order_id": hashlib.sha256(b"key of the order").hexdigest(),
        "additional_data": '{"user_id": "ada", "article": "plans/pro", "interval": "month"}',
        "url_callback": "https://edge.example/v1/webhooks/cryptomus",
        "url_success": "https://app.example/paid",
        "url_return": "https://app.example/plans",
        "lifetime": 3600,
    }


async def test_the_same_order_has_the_same_id_and_a_pack_its_own_price() -> None:
    async with selling() as (seller, counter):
        await seller.checkout(order(MONTH))
        await seller.checkout(order(SMALL))
    first, second = (asked.json for asked in counter.asked)
    assert first["order_id"] == second["order_id"]
    assert second["amount"] == "5.00"
    assert json.loads(second["additional_data"]) == {"user_id": "ada", "article": "packs/small", "interval": None}


class Alone:
    """A history of one delivery."""

    def __init__(self) -> None:
        self.delivery: Delivery | None = None

    async def about(self, provider: Provider, subjects: Sequence[str]) -> list[Delivery]:
        return [self.delivery] if self.delivery else []


async def test_what_was_asked_for_comes_back_as_what_was_bought() -> None:
    async with selling() as (seller, counter):
        await seller.checkout(order(MONTH))
    asked = counter.asked[0].json
    told = {
        "type": "payment",
        "uuid": "26109ba0",
        "order_id": asked["order_id"],
        "amount": asked["amount"],
        "currency": asked["currency"],
        "additional_data": asked["additional_data"],
        "is_final": True,
        "status": "paid",
    }
    text = json.dumps(told, separators=(",", ":")).replace("/", "\\/")
    history = Alone()
    cryptomus = Cryptomus((KEY,), CATALOGUE, history)
    body = json.dumps(told | {"sign": signature(text.encode())}).encode()
    history.delivery = cryptomus.verified({}, body, NOW)
    (agreement,) = (await cryptomus.facts(history.delivery)).agreements
    assert (agreement.user, agreement.plan, agreement.state) == ("ada", "pro", State.CANCELLED)
    assert agreement.period_end == NOW.replace(month=4)


async def test_what_it_does_not_sell_and_codes_are_not_found() -> None:
    async with selling() as (seller, counter):
        with pytest.raises(NotFound) as plan:
            await seller.checkout(order(WEEK))
        with pytest.raises(NotFound) as code:
            await seller.checkout(order(MONTH, promo_code="SPRING"))
    assert (plan.value.reason, code.value.reason) == ("PLAN_NOT_FOUND", "PROMO_CODE_NOT_FOUND")
    assert counter.asked == []


@pytest.mark.parametrize("answer", [(500, b"{}"), (429, b"{}"), (200, b"<html>")])
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
        (422, b'{"state": 1, "errors": {"amount": ["too small"]}}'),
        (200, b'{"state": 1, "message": "no"}'),
        (200, b'{"state": 0, "result": {"uuid": "1", "url": "https://pay.example/", "expired_at": 1e300}}'),
    ],
)
async def test_a_refusal_is_a_fault_of_the_settings(answer: tuple[int, bytes]) -> None:
    async with selling() as (seller, counter):
        counter.answer = answer
        with pytest.raises(Internal) as refused:
            await seller.checkout(order(MONTH))
    assert refused.value.reason == "PROVIDER_REFUSED"
