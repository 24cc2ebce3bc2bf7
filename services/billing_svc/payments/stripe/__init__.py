"""Stripe: what it sends, says and does.

Owns everything that knows Stripe's words. Keeps nothing: what is so is read from Stripe, and given as Facts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.payments.signature import secrets
from services.billing_svc.payments.stripe.auditing import StripeAuditor
from services.billing_svc.payments.stripe.client import api
from services.billing_svc.payments.stripe.customers import Customers
from services.billing_svc.payments.stripe.desk import StripeDesk
from services.billing_svc.payments.stripe.inbound import StripeInbound
from services.billing_svc.payments.stripe.purse import Purse
from services.billing_svc.payments.stripe.reading import Reading
from services.billing_svc.settings import Settings


@dataclass(frozen=True)
class Stripe:
    """Stripe in its three roles."""

    inbound: StripeInbound
    desk: StripeDesk
    auditor: StripeAuditor


@asynccontextmanager
async def stripe(
    settings: Settings, catalogue: Catalogue, customers: Customers, clock: Callable[[], datetime]
) -> AsyncIterator[Stripe | None]:
    """Stripe as the settings say; None where it is not set up. `clock` gives the present in UTC."""
    if settings.stripe_secret_key is None or settings.stripe_webhook_secret is None:
        yield None
        return
    key, signing = settings.stripe_secret_key.get_secret_value(), settings.stripe_webhook_secret.get_secret_value()
    async with api(key, settings.stripe_url) as calls:
        reading = Reading(calls, catalogue, customers)
        yield Stripe(
            StripeInbound(calls, reading, secrets(signing), settings.billing_environment),
            StripeDesk(calls, reading, Purse(calls, customers), catalogue, clock, test_mode=is_test_key(key)),
            StripeAuditor(calls, reading, customers, clock),
        )


def is_test_key(key: str) -> bool:
    """Whether no money moves with a key: secret and restricted keys say so in their first letters."""
    return key.startswith(("sk_test_", "rk_test_"))


__all__ = ["Customers", "Stripe", "StripeAuditor", "StripeDesk", "StripeInbound", "stripe"]
