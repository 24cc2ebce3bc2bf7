"""Effects as quota_svc is told them."""

import grpc

from scenemesh.quota.v1 import quota_pb2
from services.billing_svc.domain.effect import Adjust, Grant, SetPlan, Source, Why

METER = "credits"

SOURCES = {Source.PURCHASE: quota_pb2.SOURCE_PURCHASE, Source.PROMO: quota_pb2.SOURCE_PROMO}
REASONS = {
    Why.REFUND: quota_pb2.ADJUSTMENT_REASON_REFUND,
    Why.CHARGEBACK: quota_pb2.ADJUSTMENT_REASON_CHARGEBACK,
    Why.CORRECTION: quota_pb2.ADJUSTMENT_REASON_CORRECTION,
}


def plan(user: str, effect: SetPlan) -> quota_pb2.SetPlanRequest:
    return quota_pb2.SetPlanRequest(
        parent=f"users/{user}",
        request_id=str(effect.id),
        plan=f"plans/{effect.plan}",
        usage=quota_pb2.USAGE_RULE_RESET if effect.reset else quota_pb2.USAGE_RULE_KEPT,
        anchor_time=effect.anchor,
    )


def grant(user: str, effect: Grant) -> quota_pb2.GrantRequest:
    return quota_pb2.GrantRequest(
        parent=f"users/{user}",
        request_id=str(effect.id),
        meter=METER,
        amount=effect.credits,
        source=SOURCES[effect.source],
    )


def adjustment(user: str, effect: Adjust) -> quota_pb2.AdjustRequest:
    return quota_pb2.AdjustRequest(
        parent=f"users/{user}",
        request_id=str(effect.id),
        meter=METER,
        amount=effect.credits,
        reason=REASONS[effect.why],
        credit=f"users/{user}/credits/{effect.grant}",
    )


def refusal(error: grpc.aio.AioRpcError) -> str:
    """Why quota_svc refused, in a sentence for the operator."""
    return f"{error.code().name}: {error.details()}"
