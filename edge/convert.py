"""Between quota_svc's messages and what admission decides by."""

from datetime import UTC, datetime

from edge.domain import Meter
from scenemesh.quota.v1 import quota_pb2


def meter(quota: quota_pb2.Quota, name: str) -> Meter | None:
    """The meter `name` of a quota; None when it has none of that name."""
    return next((_meter(one) for one in quota.meters if one.meter == name), None)


def _meter(message: quota_pb2.MeterQuota) -> Meter:
    reset: datetime | None = message.reset_time.ToDatetime(UTC) if message.HasField("reset_time") else None
    return Meter(
        name=message.meter,
        unlimited=message.unlimited,
        limit=message.limit,
        used=message.used,
        held=message.held,
        remaining=message.remaining,
        reset_time=reset,
    )
