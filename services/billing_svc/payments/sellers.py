"""The providers that are set up here."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Desk, Seller


class Sellers:
    """`desk` is where agreements are changed, None where it is not set up; `others` sell through pages alone."""

    def __init__(self, desk: Desk | None, others: Iterable[Seller] = ()) -> None:
        self._desk = desk
        self._sellers: dict[Provider, Seller] = {one.provider: one for one in others}
        if desk is not None:
            self._sellers[desk.provider] = desk

    def seller(self, provider: Provider) -> Seller:
        """FailedPrecondition (PROVIDER_NOT_CONFIGURED) for one that is not set up."""
        if provider not in self._sellers:
            raise _not_configured()
        return self._sellers[provider]

    def desk(self) -> Desk:
        """FailedPrecondition (PROVIDER_NOT_CONFIGURED) where it is not set up."""
        if self._desk is None:
            raise _not_configured()
        return self._desk


def _not_configured() -> FailedPrecondition:
    return FailedPrecondition("This way of paying is not set up here.", reason="PROVIDER_NOT_CONFIGURED")
