"""What a provider says at one moment, in our terms."""

from __future__ import annotations

from dataclasses import dataclass

from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Provider


@dataclass(frozen=True)
class Facts:
    """The agreements and payments that something concerns, each as it stands now, whatever has been said before."""

    agreements: tuple[Agreement, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def users(self) -> frozenset[str]:
        """Whom they concern."""
        return frozenset(one.user for one in self.agreements) | frozenset(one.user for one in self.payments)

    @property
    def bought(self) -> list[tuple[Provider, str]]:
        """What they are, by provider and id."""
        agreements = [(one.provider, one.id) for one in self.agreements]
        return agreements + [(one.provider, one.id) for one in self.payments]


class NotOurs(Exception):
    """What was delivered says nothing that concerns us; the sentence says why, without anybody's data."""
