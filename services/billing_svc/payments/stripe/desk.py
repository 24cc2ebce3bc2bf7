"""Stripe as the place where plans and packs are sold and agreements are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.stripe.changing import StripeChanging
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.purse import Purse
from services.billing_svc.payments.stripe.reading import Reading
from services.billing_svc.payments.stripe.selling import StripeSelling


class StripeDesk(StripeSelling, StripeChanging):
    """See `payments.provider.Desk`. `clock` gives the present in UTC."""

    provider = Provider.STRIPE

    def __init__(
        self,
        api: Api,
        reading: Reading,
        purse: Purse,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        *,
        test_mode: bool,
    ) -> None:
        StripeSelling.__init__(self, api, reading, purse)
        StripeChanging.__init__(self, api, reading, catalogue, clock)
        self.test_mode = test_mode

    async def read(self, facts: Facts) -> Facts:
        subscriptions = [await self._reading.subscription(one.id) for one in facts.agreements]
        packs = [await self._reading.payment_intent(one.id) for one in facts.payments if one.agreement is None]
        both = [*subscriptions, *packs]
        return Facts(
            tuple(agreement for one in both for agreement in one.agreements),
            tuple(payment for one in both for payment in one.payments),
        )
