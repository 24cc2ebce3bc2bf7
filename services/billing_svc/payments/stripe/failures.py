"""What goes wrong at Stripe, in our terms.

    CardError                        FailedPrecondition   PAYMENT_DECLINED, AUTHENTICATION_REQUIRED
    IdempotencyError                 AlreadyExists        REQUEST_ID_REUSED
    409                              Aborted              REQUEST_RUNNING
    no connection, no answer,
    5xx, too many requests           Unavailable          PROVIDER_UNAVAILABLE
    401, 403                         FailedPrecondition   PROVIDER_NOT_CONFIGURED
    404, "no such …"                 Missing              PROVIDER_OBJECT_MISSING
    every other refusal              Refused              PROVIDER_REFUSED

What Stripe says in words may name a card, an address or a part of the key: it reaches neither logs nor callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import stripe
import structlog

from runtime.errors import Aborted, AlreadyExists, FailedPrecondition, Internal, MeshError, Unavailable

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 2.0


class Missing(Internal):
    """Stripe does not know the object. A defect of ours, except for who catches it."""


class Refused(Internal):
    """Stripe does not do what it was asked for. A defect of ours, except for who catches it."""


@contextmanager
def failures() -> Iterator[None]:
    """Turns what the SDK raises in the block into errors of ours; `from None` keeps its words out of logs."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error) from None
    except (aiohttp.ClientError, TimeoutError):
        # The SDK translates what goes wrong while it connects, not while it reads the answer.
        raise _unavailable() from None


def _translated(error: stripe.StripeError) -> MeshError:
    match error:
        case stripe.CardError():
            return _declined(error.code)
        case stripe.IdempotencyError():
            return AlreadyExists("The request id was used for another request.", reason="REQUEST_ID_REUSED")
        case stripe.AuthenticationError() | stripe.PermissionError():
            log.error("stripe refuses the key", status=error.http_status, stripe_request=error.request_id)
            return FailedPrecondition("Payments by Stripe are not set up here.", reason="PROVIDER_NOT_CONFIGURED")
        case stripe.InvalidRequestError():
            return _refused(error)
        case stripe.StripeError(http_status=409):
            return Aborted("The same request is at work. Try again in a moment.", reason="REQUEST_RUNNING")
    return _unavailable()


def _declined(code: str | None) -> MeshError:
    if code == "authentication_required":
        message = "The bank wants to ask the buyer about this payment. Pay on the checkout page."
        return FailedPrecondition(message, reason="AUTHENTICATION_REQUIRED")
    return FailedPrecondition("The payment was declined. Use another way of paying.", reason="PAYMENT_DECLINED")


def _refused(error: stripe.InvalidRequestError) -> MeshError:
    if error.http_status == 404 or error.code == "resource_missing":
        return Missing("Stripe does not know what was asked for.", reason="PROVIDER_OBJECT_MISSING")
    facts = {"code": error.code, "parameter": error.param, "status": error.http_status}
    log.error("stripe refuses a request", stripe_request=error.request_id, **facts)
    return Refused("Stripe refused a request.", reason="PROVIDER_REFUSED")


def _unavailable() -> Unavailable:
    message = "Stripe cannot be reached. Try again in a moment."
    return Unavailable(message, reason="PROVIDER_UNAVAILABLE", retry_after_seconds=RETRY_AFTER_SECONDS)
