"""What a change needs to know beside what is live: things that earlier requests may have made, by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.quota_svc.domain.account import Account

Key = tuple[str, UUID]


@dataclass(slots=True)
class Asked:
    """Users and ids. `new_holds` most likely do not exist, and are looked up only when they turn out to."""

    holds: list[Key] = field(default_factory=list)
    new_holds: list[Key] = field(default_factory=list)
    credits: list[Key] = field(default_factory=list)
    adjustments: list[Key] = field(default_factory=list)
    plan_changes: list[Key] = field(default_factory=list)

    @classmethod
    def all(cls, parts: Iterable[Asked]) -> Asked:
        """Everything that anybody asks for."""
        whole = cls()
        for part in parts:
            whole.holds += part.holds
            whole.new_holds += part.new_holds
            whole.credits += part.credits
            whole.adjustments += part.adjustments
            whole.plan_changes += part.plan_changes
        return whole

    def live_in(self, accounts: Mapping[str, Account]) -> bool:
        """Whether all that must be known is among what is live in the accounts."""
        if self.credits or self.adjustments or self.plan_changes:
            return False
        return all(hold_id in accounts[user].holds for user, hold_id in self.holds)
