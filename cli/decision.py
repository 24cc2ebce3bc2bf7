"""How a use is decided on, in words."""

from cli.text import printable
from scenemesh.quota.v1 import quota_pb2


def left(decision: quota_pb2.Decision) -> str:
    return "unlimited" if decision.unlimited else str(decision.remaining)


def resets(decision: quota_pb2.Decision) -> str:
    """When the allowance starts anew, to the minute, by the clock of the user's time zone."""
    return printable(decision.local_reset_time)[:16].replace("T", " ") or "never"


def refusal(decision: quota_pb2.Decision) -> list[str]:
    """Why a use is refused and what would unlock it, a line each; nothing when it is admitted."""
    if decision.outcome != quota_pb2.OUTCOME_REFUSED:
        return []
    shadow = ["The use goes on all the same."] if decision.shadow else []
    return [printable(decision.message), *shadow, *unlocks(decision)]


def unlocks(decision: quota_pb2.Decision) -> list[str]:
    """The plans that give more, cheapest first."""
    return [printable(f"  {one.display_name}: {_amount(one)} ({one.plan})") for one in decision.unlocks]


def _amount(unlock: quota_pb2.Unlock) -> str:
    return "no limit" if unlock.unlimited else f"{unlock.amount} per {unlock.period}"
