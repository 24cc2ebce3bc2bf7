"""Bodies that providers really sent are taken or refused with a reason, whatever is in them.

They are no part of the repository: SCENEMESH_WEBHOOK_BODIES names a folder with `stripe/webhook_events`,
`webhooks_other/revenuecat`, `webhooks_other/lemonsqueezy` and `webhooks_other/cryptomus`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cli.local.stripe.delivering import signature
from cli.local.stripe.pretend import SECRET
from runtime.errors import Code, MeshError
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.payments.cryptomus import Cryptomus
from services.billing_svc.payments.cryptomus.signing import signatures
from services.billing_svc.payments.lemon_squeezy import LemonSqueezy
from services.billing_svc.payments.provider import Inbound
from services.billing_svc.payments.revenuecat import RevenueCat
from services.billing_svc.webhooks.soundness import check
from tests.service.billing_svc.stripe.shopping import Shop, now
from tests.unit.billing_svc.stores.archive import Archive

FOLDER = os.environ.get("SCENEMESH_WEBHOOK_BODIES")
KEY = "a key of the test's"
# What a request may be answered with, and a delivery end as. None of these is a 500.
REASONS = {Code.INVALID_ARGUMENT, Code.UNAUTHENTICATED, Code.FAILED_PRECONDITION}

Headers = Callable[[bytes], tuple[bytes, Mapping[str, str]]]


def recorded(folder: str) -> list[Path]:
    if FOLDER is None:
        pytest.skip("SCENEMESH_WEBHOOK_BODIES names no folder with recorded bodies: they were not tried")
    bodies = sorted((Path(FOLDER) / folder).glob("*.json"))
    assert bodies, f"{FOLDER}/{folder} has no bodies"
    return bodies


async def outcome(inbound: Inbound, headers: Headers, sent: bytes) -> str:
    """What becomes of a body: "facts", "ignored", or the reason of a refusal."""
    body, proof = headers(sent)
    try:
        delivery = inbound.verified(proof, body, now())
        check(delivery)
        await inbound.facts(delivery)
    except NotOurs as reason:
        assert str(reason)
        return "ignored"
    except MeshError as error:
        assert error.code in REASONS, error.reason
        return error.reason
    return "facts"


async def test_every_recorded_body_of_stripes_is_taken_or_refused_with_a_reason(shop: Shop) -> None:
    def proved(body: bytes) -> tuple[bytes, Mapping[str, str]]:
        return body, {"stripe-signature": signature(body.decode(), SECRET, int(now().timestamp()))}

    paths = recorded("stripe/webhook_events")
    outcomes = {await outcome(shop.stripe.inbound, proved, path.read_bytes()) for path in paths}
    assert outcomes <= {"ignored", "facts", "BAD_BODY"}


async def test_every_recorded_body_of_revenuecats_is_taken_or_refused_with_a_reason(plans: Catalogue) -> None:
    inbound = RevenueCat((KEY,), plans, Archive(), live=False)
    outcomes = {
        await outcome(inbound, lambda body: (body, {"authorization": KEY}), path.read_bytes())
        for path in recorded("webhooks_other/revenuecat")
    }
    assert outcomes <= {"ignored", "facts", "BAD_BODY"}


async def test_every_recorded_body_of_lemon_squeezys_is_taken_or_refused_with_a_reason(plans: Catalogue) -> None:
    def proved(body: bytes) -> tuple[bytes, Mapping[str, str]]:
        return body, {"x-signature": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}

    inbound = LemonSqueezy((KEY,), plans, Archive(), live=False)
    paths = recorded("webhooks_other/lemonsqueezy")
    assert {await outcome(inbound, proved, path.read_bytes()) for path in paths} <= {"ignored", "facts", "BAD_BODY"}


async def test_every_recorded_body_of_cryptomus_is_taken_or_refused_with_a_reason(plans: Catalogue) -> None:
    def proved(body: bytes) -> tuple[bytes, Mapping[str, str]]:
        said = json.loads(body)
        return json.dumps({**said, "sign": signatures(said, KEY)[0]}).encode(), {}

    inbound = Cryptomus((KEY,), plans, Archive())
    paths = recorded("webhooks_other/cryptomus")
    assert {await outcome(inbound, proved, path.read_bytes()) for path in paths} <= {"ignored", "facts", "BAD_BODY"}
    assert {await outcome(inbound, lambda body: (body, {}), path.read_bytes()) for path in paths} == {"BAD_SIGNATURE"}
