"""Whatever is sent, it is taken, or refused with a reason."""

import asyncio
import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import FailedPrecondition, InvalidArgument, Unauthenticated
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.body import parsed
from services.billing_svc.payments.cryptomus import Cryptomus
from services.billing_svc.payments.lemon_squeezy import LemonSqueezy
from services.billing_svc.payments.provider import Delivery, Inbound
from services.billing_svc.payments.revenuecat import RevenueCat
from tests.unit.billing_svc.stores import coins, purchases, shelf
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive

Headers = Callable[[bytes], Mapping[str, str]]
REVENUECAT: tuple[Inbound, Headers] = (purchases.Line().revenuecat, lambda body: purchases.HEADERS)
LEMON_SQUEEZY: tuple[Inbound, Headers] = (shelf.Counter().shop, shelf.signed)
CRYPTOMUS: tuple[Inbound, Headers] = (coins.Wallet().cryptomus, lambda body: {})
EVERYONE = [REVENUECAT, LEMON_SQUEEZY, CRYPTOMUS]
everyone = st.sampled_from(EVERYONE)

HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"\xed\xa0\x80",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b"{",
    b"NaN",
    b'{"event": NaN}',
    b"[" * 200_000,
    b'{"event":' * 100_000,
    b'{"event":' * 900 + b"1" + b"}" * 900,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b'{"a": 1e999999, "sign": "x"}',
    b'{"\\ud800": "\\udfff", "sign": "\\ud800"}',
    b'{"event": {"id": "\\u0000", "type": "\\u0000", "event_timestamp_ms": 1e308}}',
    b'{"meta": {"event_name": {}}, "data": [[]]}',
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\0", "\ud800", 10**400, 1e308, -1, "", "1e999999999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def sent(to: tuple[Inbound, Headers], body: bytes) -> Delivery | None:
    """None when it was refused as it should be."""
    inbound, headers = to
    try:
        return inbound.verified(headers(body), body, purchases.NOW)
    except InvalidArgument as error:
        assert error.reason == "BAD_BODY"
    except Unauthenticated as error:
        assert error.reason == "BAD_SIGNATURE"
    return None


@pytest.mark.parametrize("to", EVERYONE, ids=["revenuecat", "lemon_squeezy", "cryptomus"])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_event_is_refused(to: tuple[Inbound, Headers], body: bytes) -> None:
    assert sent(to, body) is None


@given(everyone, st.binary(max_size=200))
def test_any_bytes_are_refused(to: tuple[Inbound, Headers], body: bytes) -> None:
    assert sent(to, body) is None


@given(everyone, st.dictionaries(st.text(), st.text()), st.text())
def test_any_headers_are_borne(to: tuple[Inbound, Headers], headers: dict[str, str], value: str) -> None:
    for name in ("authorization", "x-signature"):
        with pytest.raises((InvalidArgument, Unauthenticated)):
            to[0].verified(headers | {name: value}, b'{"sign": "x"}', purchases.NOW)


def replaced(value: object, path: list[int], by: object) -> object:
    """The value with another one somewhere in it; which member is next is a number, counted around."""
    if not path or not isinstance(value, dict) or not value:
        return by
    name = sorted(value)[path[0] % len(value)]
    return {**value, name: replaced(value[name], path[1:], by)}


@given(everyone, st.lists(st.integers(0, 40), min_size=1, max_size=3), VALUES)
@settings(max_examples=500, deadline=None)
def test_any_value_anywhere_is_taken_or_refused(to: tuple[Inbound, Headers], path: list[int], value: object) -> None:
    for whole in _wholes(to):
        changed = replaced(whole, path, value)
        delivery = sent(to, _body(to, changed))
        if delivery is not None:
            texts = (delivery.event_id, delivery.event_type, *delivery.subjects)
            assert all(text.isprintable() and len(text) < 600 for text in texts)
            assert delivery.event_time.year >= 1970
            assert asyncio.run(said(to, delivery))


async def said(to: tuple[Inbound, Headers], delivery: Delivery) -> str:
    """What is said of a delivery that stands alone."""
    archive = Archive()
    archive.keep(delivery)
    alone: dict[Provider, Inbound] = {
        Provider.REVENUECAT: RevenueCat([], CATALOGUE, archive, live=False),
        Provider.LEMON_SQUEEZY: LemonSqueezy([], CATALOGUE, archive, live=False),
        Provider.CRYPTOMUS: Cryptomus((), CATALOGUE, archive),
    }
    try:
        facts = await alone[to[0].provider].facts(delivery)
    except NotOurs as reason:
        return str(reason)
    except FailedPrecondition as error:
        return error.reason
    for agreement in facts.agreements:
        assert not agreement.in_force(agreement.ends)
    return "facts"


def _body(to: tuple[Inbound, Headers], value: object) -> bytes:
    """Signed, where the signature is in the body and the body can be signed."""
    if to is CRYPTOMUS and isinstance(value, dict):
        try:
            return coins.signed(value)
        except UnicodeEncodeError:
            pass
    return json.dumps(value).encode()


def _wholes(to: tuple[Inbound, Headers]) -> list[dict[str, Any]]:
    if to is REVENUECAT:
        return [{"event": purchases.event("RENEWAL", 0)}, {"event": purchases.transfer(0, ["ada"], ["bob"])}]
    if to is LEMON_SQUEEZY:
        return [shelf.subscription("created", 0), shelf.invoice("success", 0), shelf.order("created", 0)]
    return [coins.status("paid")]


@pytest.mark.parametrize("to", EVERYONE, ids=["revenuecat", "lemon_squeezy", "cryptomus"])
def test_a_refusal_repeats_nothing_of_the_body(to: tuple[Inbound, Headers]) -> None:
    for text in ('{"event": {"id": ["ada@example.com"]}, "meta": "ada@example.com"}', '{"ada@example.com": '):
        try:
            to[0].verified(to[1](text.encode()), text.encode(), purchases.NOW)
        except (InvalidArgument, Unauthenticated) as error:
            assert "ada" not in "".join(traceback.format_exception(error))


@given(VALUES)
def test_a_body_is_a_json_object_or_refused(value: object) -> None:
    try:
        parsed(json.dumps(value).encode())
        taken = True
    except InvalidArgument as error:
        assert error.reason == "BAD_BODY"
        taken = False
    assert taken == isinstance(value, dict)
