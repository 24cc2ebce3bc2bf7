"""Between quota_svc's decision and a refusal."""

from runtime.errors import QuotaExhausted
from scenemesh.quota.v1 import quota_pb2


def refusal(user: str, decision: quota_pb2.Decision) -> QuotaExhausted:
    """The error that refuses `user` by that decision, which it carries whole."""
    metadata = {
        "meter": decision.meter,
        "limit": str(decision.limit),
        "used": str(decision.used),
        "held": str(decision.held),
        "plan": decision.plan,
    }
    if decision.HasField("reset_time"):
        metadata["reset_time"] = decision.reset_time.ToJsonString()
    return QuotaExhausted(
        decision.message, subject=f"users/{user}/meters/{decision.meter}", metadata=metadata, details=[decision]
    )
