"""Cryptomus' signatures, and what a request must be like."""

import json
from typing import Any

import pytest

from runtime.errors import InvalidArgument, Unauthenticated
from services.billing_svc.payments.cryptomus import Cryptomus
from services.billing_svc.payments.provider import Delivery
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive
from tests.unit.billing_svc.stores.coins import HOUR, NOW, Wallet, php, signature, signed, status


def test_a_delivery_is_known_by_its_payment_and_its_status() -> None:
    body, cryptomus = signed(status("paid")), Wallet().cryptomus
    subjects = ("payment:57e2ae53",)
    assert cryptomus.verified({}, body, NOW) == Delivery("57e2ae53/paid/final", "payment.paid", NOW, body, subjects)
    process = cryptomus.verified({}, signed(status("process", final=False)), NOW)
    assert process.event_id == "57e2ae53/process"


def test_a_status_that_is_sent_again_keeps_its_first_time() -> None:
    wallet = Wallet()
    first = wallet.arrives(status("paid"))
    assert wallet.arrives(status("paid")) is first
    assert wallet.time == NOW + 2 * HOUR


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"url": "https://shop.example/return", "note": 'Größe "L" — 日本 \\ \b\f\n\r\t\x1f\x7f'},
        {"note": "between\u2028lines"},
        {"convert": {"to_currency": "USDT", "commission": None, "rate": "0.07700000"}, "list": [1, 2.5, True]},
    ],
)
def test_what_php_signs_is_right(fields: dict[str, Any]) -> None:
    said = status("paid", **fields)
    text = php(said).replace("\u2028", "\\u2028")
    Wallet().cryptomus.verified({}, json.dumps(said | {"sign": signature(text)}).encode(), NOW)


def test_slashes_may_be_written_either_way() -> None:
    said = status("paid", url="https://shop.example/")
    text = php(said).replace("\\/", "/")
    Wallet().cryptomus.verified({}, json.dumps(said | {"sign": signature(text)}).encode(), NOW)


def test_every_key_signs() -> None:
    for key in ("key of payments", "key before"):
        Wallet().cryptomus.verified({}, signed(status("paid"), key), NOW)


@pytest.mark.parametrize(
    "said",
    [
        status("paid"),
        status("paid", sign=""),
        status("paid", sign=7),
        status("paid", sign="\ud800"),
        status("paid", note="\ud800", sign="0" * 32),
        status("paid", sign=signature(php(status("process")))),
        status("paid", sign=signature(php(status("paid")), "another key")),
    ],
)
def test_another_signature_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        Wallet().cryptomus.verified({}, json.dumps(said).encode(), NOW)
    assert refused.value.reason == "BAD_SIGNATURE"


def test_a_body_that_is_too_long_is_refused_unread() -> None:
    room = 64 * 1024 - len(signed(status("paid", note="")))
    Wallet().cryptomus.verified({}, signed(status("paid", note="x" * room)), NOW)
    for body in (signed(status("paid", note="x" * (room + 1))), b"[" * (64 * 1024 + 1)):
        with pytest.raises(Unauthenticated) as refused:
            Wallet().cryptomus.verified({}, body, NOW)
        assert refused.value.reason == "BAD_SIGNATURE"


def test_without_a_key_nothing_is_proved() -> None:
    with pytest.raises(Unauthenticated):
        Cryptomus((), CATALOGUE, Archive()).verified({}, signed(status("paid"), ""), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"uuid": None},
        {"uuid": "nul\0"},
        {"status": ["paid"]},
        {"type": ""},
        {"amount": "a lot"},
        {"amount": "1e999999999"},
        {"amount": "NaN"},
        {"currency": None},
        {"is_final": "perhaps"},
    ],
)
def test_an_event_with_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        Wallet().cryptomus.verified({}, signed(status("paid") | change), NOW)
    assert refused.value.reason == "BAD_BODY"
