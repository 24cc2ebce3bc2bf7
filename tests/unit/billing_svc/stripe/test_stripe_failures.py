"""What goes wrong at Stripe, in our terms and without its words."""

from __future__ import annotations

import traceback

import aiohttp
import pytest
import stripe
import structlog

from runtime.errors import Code, MeshError
from services.billing_svc.payments.stripe.failures import failures

WORDS = "sk_test_secret of ann@example.org, card 4242"


def refused(status: int, code: str | None) -> Exception:
    return stripe.InvalidRequestError(WORDS, "id", code, http_status=status)  # type: ignore[no-untyped-call]


def declined(code: str) -> Exception:
    return stripe.CardError(WORDS, None, code, http_status=402)  # type: ignore[no-untyped-call]


def unconnected() -> Exception:
    return stripe.APIConnectionError(WORDS)  # type: ignore[no-untyped-call]


FAILURES = [
    (declined("card_declined"), Code.FAILED_PRECONDITION, "PAYMENT_DECLINED"),
    (declined("authentication_required"), Code.FAILED_PRECONDITION, "AUTHENTICATION_REQUIRED"),
    (stripe.IdempotencyError(WORDS, http_status=400), Code.ALREADY_EXISTS, "REQUEST_ID_REUSED"),
    (stripe.APIError(WORDS, http_status=409), Code.ABORTED, "REQUEST_RUNNING"),
    (stripe.APIError(WORDS, http_status=500), Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE"),
    (stripe.RateLimitError(WORDS, http_status=429), Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE"),
    (unconnected(), Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE"),
    (aiohttp.ClientPayloadError(WORDS), Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE"),
    (TimeoutError(WORDS), Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE"),
    (stripe.AuthenticationError(WORDS, http_status=401), Code.FAILED_PRECONDITION, "PROVIDER_NOT_CONFIGURED"),
    (stripe.PermissionError(WORDS, http_status=403), Code.FAILED_PRECONDITION, "PROVIDER_NOT_CONFIGURED"),
    (refused(404, "resource_missing"), Code.INTERNAL, "PROVIDER_OBJECT_MISSING"),
    (refused(400, "resource_missing"), Code.INTERNAL, "PROVIDER_OBJECT_MISSING"),
    (refused(400, None), Code.INTERNAL, "PROVIDER_REFUSED"),
]


@pytest.mark.parametrize(
    ("raised", "code", "reason"), FAILURES, ids=[f"{one[2]}-{n}" for n, one in enumerate(FAILURES)]
)
def test_a_failure_has_a_reason_and_none_of_stripes_words(raised: Exception, code: Code, reason: str) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(MeshError) as caught, failures():
        raise raised
    assert (caught.value.code, caught.value.reason) == (code, reason)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.message + repr(logs)
    assert not [word for word in WORDS.split() if len(word) > 4 and word.strip(",") in told]


def test_an_error_of_ours_passes() -> None:
    with pytest.raises(KeyError), failures():
        raise KeyError("a")
