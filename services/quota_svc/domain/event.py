"""What other services are told after the fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Updated:
    """Credit moved on a meter; `entry` is the number of the newest entry, 0 where a change of plan made none."""

    meter: str
    remaining: int
    unlimited: bool
    entry: int


@dataclass(frozen=True, slots=True)
class Low:
    """A charge brought the meter to its soft limit."""

    meter: str
    used_percent: int
    remaining: int
    reset: datetime | None


@dataclass(frozen=True, slots=True)
class Depleted:
    """A charge took the last of the meter."""

    meter: str
    reset: datetime | None


@dataclass(frozen=True, slots=True)
class Reset:
    """The allowance starts anew; `limit` is None where there is none."""

    meter: str
    limit: int | None


Event = Updated | Low | Depleted | Reset
