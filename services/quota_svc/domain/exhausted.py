"""What a user is told when a meter has too little left: why, until when, and what would help."""

from runtime.errors import QuotaExhausted
from services.quota_svc.domain.meter import Meter
from services.quota_svc.domain.plan import Plan, PlanTable

# A meter without a name of its own is called by its units: "image generation units".
UNITS = {"chat": "chat turns", "chat_premium": "premium chat turns"}

THIS_PERIOD = {"day": "today", "month": "this month"}


def exhausted(user: str, plan: Plan, meter: Meter, amount: int, table: PlanTable) -> QuotaExhausted:
    """The refusal of `amount` units that `meter` does not have."""
    metadata = {
        "meter": meter.name,
        "limit": str(meter.limit),
        "used": str(meter.figures.used),
        "held": str(meter.held),
        "plan": plan.name,
    }
    if meter.reset_time is not None:
        metadata["reset_time"] = f"{meter.reset_time:%Y-%m-%dT%H:%M:%SZ}"
    message = " ".join([_reason(plan, meter, amount), *_remedy(plan, meter, table)])
    return QuotaExhausted(message, subject=f"users/{user}/meters/{meter.name}", metadata=metadata)


def units(meter: str) -> str:
    """What a person calls the meter's units."""
    return UNITS.get(meter, f"{meter.replace('_', ' ')} units")


def _reason(plan: Plan, meter: Meter, amount: int) -> str:
    total = meter.limit + meter.figures.granted
    when = f" of {THIS_PERIOD[meter.allowance.period.value]}" if meter.allowance is not None else ""
    if total == 0:
        return f"The {plan.display_name} plan has no {units(meter.name)}: its limit is 0."
    if meter.remaining:
        return f"This needs {amount} {units(meter.name)} and {meter.remaining} of the {total}{when} can still be used."
    taken = "used or held by work in progress" if meter.held else "used"
    return f"All {total} {units(meter.name)}{when} are {taken}."


def _remedy(plan: Plan, meter: Meter, table: PlanTable) -> list[str]:
    remedies = []
    if meter.reset_time is not None:
        remedies.append(f"they start anew at {meter.reset_time:%Y-%m-%dT%H:%M:%SZ}")
    larger = table.larger(plan, meter.name)
    if larger is not None:
        allowance = larger.allowances[meter.name]
        more = "no limit" if allowance.amount is None else f"{allowance.amount} a {allowance.period.value}"
        remedies.append(f"the {larger.display_name} plan has {more}")
    told = "; ".join(remedies)
    return [f"{told[0].upper()}{told[1:]}."] if told else []
