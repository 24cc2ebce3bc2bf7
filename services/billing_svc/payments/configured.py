"""The providers that this process is set up for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.asking import Asking, asking
from services.billing_svc.payments.cryptomus import Cryptomus, CryptomusSeller
from services.billing_svc.payments.lemon_squeezy import LemonSqueezy, LemonSqueezySeller
from services.billing_svc.payments.provider import Auditor, History, Inbound, Seller
from services.billing_svc.payments.revenuecat import RevenueCat
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.payments.signature import secrets
from services.billing_svc.payments.stripe import Customers, Stripe, stripe
from services.billing_svc.settings import Settings

CALLBACK_PATH = "/v1/webhooks/cryptomus"


@dataclass(frozen=True)
class Payments:
    """Who sends, who sells, and who says all that it knows; `auditor` is None where Stripe is not set up."""

    inbounds: Mapping[Provider, Inbound]
    sellers: Sellers
    auditor: Auditor | None


def set_up(settings: Settings) -> frozenset[Provider]:
    """The providers whose word would be believed."""
    secrets_of = {
        Provider.STRIPE: settings.stripe_secret_key,
        Provider.REVENUECAT: settings.revenuecat_authorization,
        Provider.LEMON_SQUEEZY: settings.lemon_squeezy_webhook_secret,
        Provider.CRYPTOMUS: settings.cryptomus_api_key,
    }
    return frozenset(provider for provider, secret in secrets_of.items() if secret is not None)


@asynccontextmanager
async def payments(
    settings: Settings, catalogue: Catalogue, customers: Customers, history: History, clock: Callable[[], datetime]
) -> AsyncIterator[Payments]:
    """The providers that the settings have keys for. `clock` gives the present in UTC."""
    async with stripe(settings, catalogue, customers, clock) as card, asking() as web:
        inbounds = _inbounds(settings, catalogue, history, card)
        sellers = Sellers(card.desk if card else None, _others(settings, web, clock))
        yield Payments({one.provider: one for one in inbounds}, sellers, card.auditor if card else None)


def _inbounds(settings: Settings, catalogue: Catalogue, history: History, card: Stripe | None) -> list[Inbound]:
    live = settings.billing_environment == "live"
    inbounds: list[Inbound] = [card.inbound] if card else []
    if settings.revenuecat_authorization is not None:
        agreed = secrets(settings.revenuecat_authorization.get_secret_value())
        inbounds.append(RevenueCat(agreed, catalogue, history, live=live))
    if settings.lemon_squeezy_webhook_secret is not None:
        signing = secrets(settings.lemon_squeezy_webhook_secret.get_secret_value())
        inbounds.append(LemonSqueezy(signing, catalogue, history, live=live))
    if settings.cryptomus_api_key is not None:
        inbounds.append(Cryptomus(secrets(settings.cryptomus_api_key.get_secret_value()), catalogue, history))
    return inbounds


def _others(settings: Settings, web: Asking, clock: Callable[[], datetime]) -> list[Seller]:
    """Those beside Stripe that sell through a page."""
    test_mode = settings.billing_environment == "test"
    sellers: list[Seller] = []
    if settings.lemon_squeezy_api_key is not None and settings.lemon_squeezy_store is not None:
        key, store = settings.lemon_squeezy_api_key.get_secret_value(), settings.lemon_squeezy_store
        url = settings.lemon_squeezy_url
        sellers.append(LemonSqueezySeller(web, url, key, store, clock, test_mode=test_mode))
    if settings.cryptomus_api_key is not None and settings.cryptomus_merchant is not None:
        key, *_ = secrets(settings.cryptomus_api_key.get_secret_value())
        url, callback = settings.cryptomus_url, settings.edge_url.rstrip("/") + CALLBACK_PATH
        sellers.append(CryptomusSeller(web, url, settings.cryptomus_merchant, key, callback, test_mode=test_mode))
    return sellers
