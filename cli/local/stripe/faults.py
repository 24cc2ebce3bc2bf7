"""What a test can make go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

DELAY_MS_MAX = 600_000


@dataclass(frozen=True)
class Faults:
    """Webhooks: `duplicate` sends each twice, `shuffle` in any order, `delay_ms` later, `drop_share` of them never,
    `thin` without the object.

    The API: `api_delay_ms` answers late, the next `api_refuse` requests are refused with 503 and not done, the answers
    to the next `api_lose` are lost after they were done. `seed` makes chance repeat itself.
    """

    duplicate: bool = False
    shuffle: bool = False
    delay_ms: int = 0
    drop_share: float = 0.0
    thin: bool = False
    api_delay_ms: int = 0
    api_refuse: int = 0
    api_lose: int = 0
    seed: int = 0

    def changed(self, values: Mapping[str, Any]) -> Faults:
        """Those of the values that are named are set. Raises ValueError for what is no fault."""
        kinds: dict[str, type[Any]] = {one.name: type(getattr(self, one.name)) for one in fields(self)}
        for name, value in values.items():
            if name not in kinds or not isinstance(value, kinds[name] | int):
                raise ValueError(f"{name}: no such fault, or not a value of it")
        after = replace(self, **{name: kinds[name](value) for name, value in values.items()})
        if not (0 <= after.drop_share <= 1 and 0 <= after.delay_ms <= DELAY_MS_MAX):
            raise ValueError("drop_share is from 0 to 1, delay_ms at most ten minutes")
        if not 0 <= after.api_delay_ms <= DELAY_MS_MAX or after.api_refuse < 0 or after.api_lose < 0:
            raise ValueError("api_delay_ms is at most ten minutes, the others count from 0")
        return after
