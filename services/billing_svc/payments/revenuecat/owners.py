"""Who has a purchase, and who paid for it: buyers get new names, and pass purchases on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.billing_svc.payments.revenuecat.event import TRANSFER, Event, first_user


@dataclass
class Owner:
    """Whoever has a purchase.

    `user` had it last of those whom a name of ours was ever known of. `present` is false where it went on to a buyer
    without such a name. `payers` are the users who paid, by transaction: who had the purchase when it was charged, or
    the first one known after that.
    """

    names: tuple[str, ...] = ()
    user: str | None = None
    present: bool = False
    payers: dict[str, str] = field(default_factory=dict)
    unpaid: list[str] = field(default_factory=list)

    def named(self, names: tuple[str, ...], links: Mapping[str, str]) -> None:
        """An event of the purchase names its buyer so. One that names nobody of ours takes it from nobody."""
        known = _user(names, links) is not None
        self._held(names if known else tuple(dict.fromkeys((*names, *self.names))), links)

    def passed(self, given: frozenset[str], names: tuple[str, ...], links: Mapping[str, str]) -> None:
        """Whatever one buyer had is another's."""
        if not given.isdisjoint(self.names) or (self.present and self.user in given):
            self._held(names, links)

    def charged(self, transaction: str) -> None:
        """The present owner, or else the next one, paid this."""
        if transaction in self.payers:
            return
        if self.present and self.user is not None:
            self.payers[transaction] = self.user
        else:
            self.unpaid.append(transaction)

    def _held(self, names: tuple[str, ...], links: Mapping[str, str]) -> None:
        self.names = names
        user = _user(names, links)
        self.present = user is not None
        if user is None:
            return
        self.user = user
        for transaction in self.unpaid:
            self.payers.setdefault(transaction, user)
        self.unpaid.clear()


def owners(events: Iterable[Event]) -> dict[str, Owner]:
    """Whose every purchase is, by its key; `events` are in their order."""
    ordered = list(events)
    links = _links(ordered)
    found: dict[str, Owner] = {}
    for event in ordered:
        if event.type == TRANSFER:
            for owner in found.values():
                owner.passed(event.from_names, event.to_names, links)
        elif event.key is not None:
            owner = found.setdefault(event.key, Owner())
            owner.named(event.names, links)
            if event.transaction_id is not None:
                owner.charged(event.transaction_id)
    return found


def _links(events: Iterable[Event]) -> dict[str, str]:
    """The user behind names that are RevenueCat's own; what was said last counts."""
    return {name: event.user for event in events if event.user is not None for name in event.names}


def _user(names: tuple[str, ...], links: Mapping[str, str]) -> str | None:
    return first_user(names) or next((links[name] for name in names if name in links), None)
