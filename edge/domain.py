"""Whether a meter lets a call through, and what to say when it does not."""

from dataclasses import dataclass
from datetime import datetime

from runtime.errors import QuotaExhausted


@dataclass(frozen=True)
class Meter:
    """What a user has on one meter, in its units."""

    name: str
    unlimited: bool
    limit: int
    used: int
    held: int
    remaining: int
    reset_time: datetime | None


def admit(user: str, plan: str, meter: Meter | None, name: str) -> None:
    """Raises QuotaExhausted when `user` has nothing left on the meter `name`; no meter means that the plan has none."""
    if meter is not None and (meter.unlimited or meter.remaining > 0):
        return
    meter = meter or Meter(name, unlimited=False, limit=0, used=0, held=0, remaining=0, reset_time=None)
    metadata = {
        "meter": name,
        "limit": str(meter.limit),
        "used": str(meter.used),
        "held": str(meter.held),
        "plan": plan,
    }
    if meter.reset_time is not None:
        metadata["reset_time"] = rfc3339(meter.reset_time)
    raise QuotaExhausted(_sentence(meter), subject=f"users/{user}/meters/{name}", metadata=metadata)


def _sentence(meter: Meter) -> str:
    if meter.limit == 0 and meter.held == 0:
        return f"Your plan has no {meter.name} allowance. GET /v1/plans lists the plans that have one."
    spent = f"You have used all of your {meter.name} allowance ({meter.used} of {meter.limit})."
    if meter.held:
        used = f"{meter.used} of {meter.limit} used"
        spent = f"What is left of your {meter.name} allowance ({used}) is held by work in progress."
    again = f"It starts anew at {rfc3339(meter.reset_time)}; a" if meter.reset_time else "A"
    return f"{spent} {again} larger plan has more: GET /v1/plans."


def rfc3339(moment: datetime) -> str:
    """2026-11-22T00:00:00Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
