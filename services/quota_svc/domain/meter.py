"""Meters: what can be counted, and what its units are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.errors import InvalidArgument

# The meter of what is bought in packs.
CREDITS = "credits"


@dataclass(frozen=True)
class Meter:
    """A thing that is counted; from `soft_limit_percent` of the credit on, a warning is due.

    Where it has too little left, `price` units of CREDITS pay for one of its own; 0 where they do not.
    """

    name: str
    units: str
    soft_limit_percent: int
    price: int = 0


class MeterTable:
    """Every meter there is."""

    def __init__(self, meters: Iterable[Meter]) -> None:
        self._meters = {meter.name: meter for meter in meters}

    def __contains__(self, name: str) -> bool:
        return name in self._meters

    def meter(self, name: str) -> Meter:
        """The meter of that name; INVALID_ARGUMENT (reason METER_UNKNOWN) when there is none."""
        meter = self._meters.get(name)
        if meter is None:
            known = ", ".join(sorted(self._meters))
            raise InvalidArgument(f"There is no meter {name!r}; there are: {known}.", reason="METER_UNKNOWN")
        return meter
