"""What is proved of what Stripe sends, and what is not."""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import sha256

import pytest

from runtime.errors import Unauthenticated
from services.billing_svc.payments.stripe.webhooks import TOLERANCE_SECONDS, prove
from tests.service.billing_svc.shop import NOW

SECRET, OLD_SECRET = "whsec_new", "whsec_old"
BODY = b'{"id": "evt_1"}'
NOW_SECONDS = int(NOW.timestamp())


def signature(body: bytes = BODY, secret: str = SECRET, at: int = NOW_SECONDS) -> str:
    return hmac.new(secret.encode(), b"%d." % at + body, sha256).hexdigest()


def header(body: bytes = BODY, secret: str = SECRET, at: int = NOW_SECONDS) -> str:
    return f"t={at},v1={signature(body, secret, at)}"


@pytest.mark.parametrize(
    "good",
    [
        header(),
        header(secret=OLD_SECRET),
        header(at=NOW_SECONDS - TOLERANCE_SECONDS),
        header(at=NOW_SECONDS + TOLERANCE_SECONDS),
        f"t={NOW_SECONDS},v1={'0' * 64},v1={signature()}",
        f"t={NOW_SECONDS},v0=old,v1={signature()}",
    ],
)
def test_one_good_signature_of_one_of_the_secrets_is_enough(good: str) -> None:
    prove(good, BODY, [SECRET, OLD_SECRET], NOW)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nonsense",
        ",,,=,==",
        f"v1={signature()}",
        f"t={NOW_SECONDS}",
        f"t={NOW_SECONDS},v0={signature()}",
        f"t=soon,v1={signature()}",
        f"t={'9' * 5000},v1={signature()}",
        f"t={'9' * 4000},v1={signature(at=int('9' * 4000))}",
        f"t={NOW_SECONDS},v1=",
        f"t={NOW_SECONDS},v1=é{signature()}",
        f"t={NOW_SECONDS},v1=\udc80",
        f"t={NOW_SECONDS},v1={signature().upper()}",
        f"t={NOW_SECONDS + 1},v1={signature()}",
        header(secret="whsec_of_somebody_else"),
        header(secret=""),
        header(body=b'{"id":"evt_1"}'),
        header(at=NOW_SECONDS - TOLERANCE_SECONDS - 1),
        header(at=NOW_SECONDS + TOLERANCE_SECONDS + 1),
        header(at=0),
        header(at=-NOW_SECONDS),
        f"t={NOW_SECONDS},t=0,v1={signature(at=0)}",
    ],
)
def test_nothing_else_proves_anything(bad: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        prove(bad, BODY, [SECRET, OLD_SECRET], NOW)
    assert caught.value.reason == "BAD_SIGNATURE"


@pytest.mark.parametrize("secrets", [[], [""], ["   "], ["\t\n"]])
def test_an_empty_secret_proves_nothing(secrets: list[str]) -> None:
    for secret in ["", *secrets]:
        with pytest.raises(Unauthenticated):
            prove(header(secret=secret), BODY, secrets, NOW)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\xc3", b'{"id": "\x80"}'])
def test_a_body_that_is_no_text_proves_nothing(body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        prove(header(body), body, [SECRET], NOW)


def test_the_time_is_that_of_the_clock() -> None:
    prove(header(at=0), BODY, [SECRET], NOW - timedelta(seconds=NOW_SECONDS))
