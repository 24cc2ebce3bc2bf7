"""What has changed of an account since it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from services.quota_svc.domain.credit import Credit
from services.quota_svc.domain.entry import Entry
from services.quota_svc.domain.event import Event
from services.quota_svc.domain.hold import Hold
from services.quota_svc.domain.record import Adjustment, PlanChange


@dataclass
class Changes:
    """What is to be written: every value in its newest form, and what is only ever added."""

    credits: dict[UUID, Credit] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    new_holds: set[UUID] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    plan_changes: list[PlanChange] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    account: bool = False

    def __bool__(self) -> bool:
        return bool(self.credits or self.holds or self.entries or self.plan_changes or self.account)

    def copy(self) -> Changes:
        return Changes(
            dict(self.credits),
            dict(self.holds),
            set(self.new_holds),
            list(self.entries),
            list(self.adjustments),
            list(self.plan_changes),
            list(self.events),
            self.account,
        )
