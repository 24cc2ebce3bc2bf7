"""What the machine keeps beside the account: the rows that flushes wrote, and the books that entries add up to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.credit import Credit
from services.quota_svc.domain.entry import Book, Entry
from services.quota_svc.domain.hold import Hold, HoldState
from services.quota_svc.domain.record import Adjustment, PlanChange


class Store:
    """What the flushes have written, as the tables keep it: of a credit that is there, some columns alone change."""

    def __init__(self, account: Account) -> None:
        self.credits: dict[UUID, Credit] = {}
        self.holds: dict[UUID, Hold] = {}
        self.adjustments: dict[UUID, Adjustment] = {}
        self.plan_changes: dict[UUID, PlanChange] = {}
        self.entries: list[Entry] = []
        self.row = self._row(account)

    def write(self, account: Account, changes: Changes) -> None:
        if not changes:
            assert changes == Changes()
            return
        self.row = self._row(account)
        for credit in changes.credits.values():
            self.credits[credit.id] = self._updated(credit)
        for hold in changes.holds.values():
            assert (hold.id in changes.new_holds) == (hold.id not in self.holds)
            assert hold.id not in self.holds or self.holds[hold.id].state is HoldState.HELD, "a hold resolves once"
            self.holds[hold.id] = hold
        for adjustment in changes.adjustments:
            assert self.adjustments.setdefault(adjustment.id, adjustment) is adjustment
        for change in changes.plan_changes:
            assert self.plan_changes.setdefault(change.id, change) is change
        self.entries += changes.entries

    def _updated(self, credit: Credit) -> Credit:
        return replace(
            self.credits.get(credit.id, credit),
            amount=credit.amount,
            balance=credit.balance,
            used=credit.used,
            state=credit.state,
            expire=credit.expire,
            ended=credit.ended,
            adjusted=credit.adjusted,
        )

    @staticmethod
    def _row(account: Account) -> dict[str, Any]:
        names = ("user", "time", "plan", "calendar", "number", "changes_of_plan", "version", "taken")
        return {name: getattr(account, name) for name in names}

    def read(self) -> Account:
        credits_ = [one for one in self.credits.values() if one.live]
        holds = [one for one in self.holds.values() if one.state is HoldState.HELD]
        return Account(**self.row, credits=credits_, holds=holds)

    def recall(self, account: Account) -> None:
        """Makes known to an account what is not live of it, as a change that asks for everything would."""
        account.recall(
            holds=[one for one in self.holds.values() if account.earlier_hold(one.id) is None],
            credits=[one for one in self.credits.values() if account.earlier_credit(one.id) is None],
            adjustments=[one for one in self.adjustments.values() if one.id not in account.adjustments],
            plan_changes=[one for one in self.plan_changes.values() if one.id not in account.plan_changes],
        )


class Books:
    """Sums of all entries, taken one by one as they come."""

    def __init__(self) -> None:
        self.last: Entry | None = None
        self.totals: dict[tuple[str, Book], int] = defaultdict(int)
        self.credits: dict[UUID | None, int] = defaultdict(int)

    def take(self, entry: Entry) -> None:
        assert entry.number == (self.last.number if self.last else 0) + 1
        assert self.last is None or entry.time >= self.last.time
        assert entry.amount > 0
        assert entry.debit is not entry.credit
        self.totals[entry.meter, entry.debit] -= entry.amount
        self.totals[entry.meter, entry.credit] += entry.amount
        self.credits[entry.credit_id] += entry.amount * (
            (entry.credit is Book.AVAILABLE) - (entry.debit is Book.AVAILABLE)
        )
        assert entry.balance == self.totals[entry.meter, Book.AVAILABLE]
        self.last = entry


def state_of(account: Account) -> dict[str, Any]:
    """All that an account is, to compare it by."""
    own = {name: value for name, value in vars(account).items() if name not in ("_queues", "_due", "changes", "held")}
    own = {name: dict(value) if isinstance(value, dict) else value for name, value in own.items()}
    changes = {field.name: getattr(account.changes.copy(), field.name) for field in fields(Changes)}
    return {**own, **changes, "held": {key: value for key, value in account.held.items() if value}}
