"""Many orders in one transaction: each by itself, or all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from runtime.errors import MeshError
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.reserving import Refused


class Order(Protocol):
    """A wish that concerns one user."""

    @property
    def user(self) -> str: ...


AnyOrder = TypeVar("AnyOrder", bound=Order)
Made = TypeVar("Made")
Accounts = dict[str, Account]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The first order of a batch that failed; nothing was done for any."""

    index: int
    failure: Refused | MeshError


def each(
    accounts: Accounts, orders: Sequence[AnyOrder], apply: Callable[[Account, AnyOrder], Made]
) -> list[Made | MeshError]:
    """What becomes of each order by itself."""
    return [_attempt(accounts, order, apply) for order in orders]


def all_or_nothing(
    accounts: Accounts, orders: Sequence[AnyOrder], apply: Callable[[Account, AnyOrder], Made]
) -> list[Made] | Stopped:
    """What becomes of all orders; they are applied to copies, which take the accounts' place at the good end alone."""
    copies = {user: accounts[user].copy() for user in {order.user for order in orders}}
    made: list[Made] = []
    for index, order in enumerate(orders):
        outcome = _attempt(copies, order, apply)
        if isinstance(outcome, MeshError | Refused):
            return Stopped(index, outcome)
        made.append(outcome)
    accounts.update(copies)
    return made


def _attempt(accounts: Accounts, order: AnyOrder, apply: Callable[[Account, AnyOrder], Made]) -> Made | MeshError:
    try:
        return apply(accounts[order.user], order)
    except MeshError as error:
        return error
