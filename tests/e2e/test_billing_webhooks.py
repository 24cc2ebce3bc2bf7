"""What providers send, from the edge to the inbox: refused or kept, and never a defect."""

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.appstore import AUTHORIZATION, Purchase, body
from tests.e2e.buyer import until
from tests.e2e.clients import JSON_TYPE, Json, Rest, requested
from tests.e2e.stack import LEMON_SQUEEZY_SECRET, Stack

PROVIDERS = ("stripe", "revenuecat", "lemonSqueezy", "cryptomus")
REVENUECAT = {"authorization": AUTHORIZATION}
NO_EVENTS = (
    b"",
    b"[]",
    b"null",
    b"{",
    b"{}",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"event": []}',
    # What is refused is not written down either.
    b'{"event": {"id": ["buyer@mail.example"], "type": "buyer@mail.example", "event_timestamp_ms": "whsec_1"}}',
)


async def _post(stack: Stack, provider: str, sent: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    url = f"{stack.url}/v1/webhooks/{provider}"
    async with requested("POST", url, sent, {**JSON_TYPE, **(headers or {})}) as response:
        return response.status, await response.json()


def _reason(answer: tuple[int, Any]) -> tuple[int, str]:
    status, told = answer
    return status, told["details"][0]["reason"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong", "x-signature": "00", "stripe-signature": "t=1,v1=00"},
        {"authorization": "", "x-signature": "", "stripe-signature": ""},
        {"stripe-signature": "t=99999999999999999999,v1=", "x-signature": "\u00e9", "authorization": "\u00e9"},
    ],
    ids=["none", "wrong", "empty", "odd"],
)
async def test_without_its_proof_nothing_is_taken(stack: Stack, provider: str, headers: dict[str, str]) -> None:
    sent = json.dumps({"id": "evt_1", "object": "event", "sign": "00", "event": {"id": "1"}}).encode()
    assert _reason(await _post(stack, provider, sent, headers)) == (401, "BAD_SIGNATURE")


async def test_a_token_of_ours_is_no_proof(stack: Stack) -> None:
    token = {"authorization": f"Bearer {stack.token(user='olga', role='operator')}"}
    for provider in PROVIDERS:
        assert _reason(await _post(stack, provider, b"{}", token)) == (401, "BAD_SIGNATURE")


@pytest.mark.parametrize("sent", NO_EVENTS, ids=lambda sent: repr(sent[:12]))
async def test_what_is_signed_and_no_event_is_400(stack: Stack, sent: bytes) -> None:
    assert _reason(await _post(stack, "revenuecat", sent, REVENUECAT)) == (400, "BAD_BODY")
    signed = {"x-signature": hmac.new(LEMON_SQUEEZY_SECRET.encode(), sent, hashlib.sha256).hexdigest()}
    assert _reason(await _post(stack, "lemonSqueezy", sent, signed)) == (400, "BAD_BODY")
    # Nobody signs what is no text.
    taken = (400, "BAD_BODY") if sent.isascii() else (401, "BAD_SIGNATURE")
    assert _reason(await _post(stack, "stripe", sent, _stripe_signature(stack, sent))) == taken


def _stripe_signature(stack: Stack, sent: bytes, seconds_ago: int = 0) -> dict[str, str]:
    secret = (stack.state / "keys" / "stripe.whsec").read_bytes()
    moment = int(time.time()) - seconds_ago
    digest = hmac.new(secret, b"%d.%b" % (moment, sent), hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={moment},v1={digest}"}


@pytest.mark.parametrize("seconds_ago", [330, -330])
async def test_a_signature_of_another_time_is_no_proof(stack: Stack, seconds_ago: int) -> None:
    old = _stripe_signature(stack, b"{}", seconds_ago)
    assert _reason(await _post(stack, "stripe", b"{}", old)) == (401, "BAD_SIGNATURE")


@pytest.mark.parametrize("shape", ["snapshot", "thin"])
async def test_a_stripe_event_of_an_unknown_type_is_kept_and_ignored(stack: Stack, shape: str) -> None:
    name = f"evt_{uuid4().hex}"
    events: dict[str, Json] = {
        "snapshot": {
            "object": "event",
            "created": 1_790_000_000,
            "data": {"object": {"object": "comet", "id": "co_1"}},
        },
        "thin": {"object": "v2.core.event", "created": "2026-11-01T00:00:00Z", "related_object": None},
    }
    sent = json.dumps({"id": name, "type": "comet.seen", "livemode": False, **events[shape]}, indent=3).encode()
    assert await _post(stack, "stripe", sent, _stripe_signature(stack, sent)) == (200, {})
    await until(lambda: _state(stack, name), "IGNORED")
    spaced = sent.replace(b"   ", b"  ")
    assert _reason(await _post(stack, "stripe", spaced, _stripe_signature(stack, sent))) == (401, "BAD_SIGNATURE")


async def test_a_body_over_the_limit_is_413(stack: Stack) -> None:
    for provider in PROVIDERS:
        assert _reason(await _post(stack, provider, b"x" * 1_048_577, REVENUECAT)) == (413, "BODY_TOO_LARGE")


async def test_an_event_of_an_unknown_type_is_kept_and_ignored(stack: Stack) -> None:
    event: Json = {
        "id": str(uuid4()),
        "type": "SOMETHING_NEW",
        "event_timestamp_ms": 1_790_000_000_000,
        "x": "y" * 100_000,
    }
    assert await _post(stack, "revenuecat", body(event), REVENUECAT) == (200, {})
    await until(lambda: _state(stack, event["id"]), "IGNORED")
    assert await _post(stack, "revenuecat", body(event), REVENUECAT) == (200, {})


async def test_an_operator_sees_a_delivery_without_its_body_and_works_on_it_again(stack: Stack) -> None:
    event = Purchase("webhooks-ada").initial_purchase()
    assert await _post(stack, "revenuecat", body(event), REVENUECAT) == (200, {})
    await until(lambda: _state(stack, event["id"]), "DONE")
    (kept,) = [one for one in await _deliveries(stack) if one["event_id"] == event["id"]]
    # A busy machine may need another attempt.
    assert (kept["provider"], kept["event_type"]) == ("PROVIDER_REVENUECAT", "INITIAL_PURCHASE")
    assert kept["attempts"] >= 1
    assert "body" not in kept
    olga = Rest(stack.url, stack.token(user="olga", role="operator"))
    again = await olga.call("POST", f"/v1/{kept['name']}:replay", {})
    assert again.status == 200
    await until(lambda: _state(stack, event["id"]), "DONE")


async def _deliveries(stack: Stack) -> list[Json]:
    olga = Rest(stack.url, stack.token(user="olga", role="operator"))
    listed: list[Json] = (await olga.call("GET", "/v1/webhookDeliveries?page_size=100")).body["deliveries"]
    return listed


async def _state(stack: Stack, event: str) -> str:
    found = [one["state"] for one in await _deliveries(stack) if one["event_id"] == event]
    return found[0].removeprefix("DELIVERY_STATE_") if found else "ABSENT"
