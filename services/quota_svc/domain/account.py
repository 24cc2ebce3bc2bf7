"""A user's account: which plan counts, and how long that may be believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

PLAN_AGE_MAX = timedelta(seconds=60)


@dataclass(frozen=True)
class Account:
    """`plan` is what billing last said, at `plan_time`; both are None where it was never asked."""

    user: str
    plan: str | None = None
    plan_time: datetime | None = None

    def stale(self, now: datetime) -> bool:
        """Whether billing should be asked again."""
        return self.plan_time is None or now - self.plan_time >= PLAN_AGE_MAX
