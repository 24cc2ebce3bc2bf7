"""Metrics of webhooks: how many came and how they ended, and how long that took."""

from datetime import timedelta

from opentelemetry import metrics

from runtime.telemetry import SCOPE
from services.billing_svc.domain.plan import Provider


class Telling:
    """Outcomes are few words of ours, and reasons of errors: never what was sent."""

    def __init__(self) -> None:
        meter = metrics.get_meter(SCOPE)
        self._received = meter.create_counter("billing.webhooks.received")
        self._worked = meter.create_counter("billing.webhooks.worked")
        self._age = meter.create_histogram("billing.webhooks.age", unit="s")

    def received(self, provider: Provider, outcome: str) -> None:
        """A request came: it was kept, or refused for a reason."""
        self._received.add(1, {"provider": provider.value, "outcome": outcome})

    def worked(self, provider: Provider, outcome: str, age: timedelta) -> None:
        """A delivery was worked on; `age` is the time since it was kept."""
        labels = {"provider": provider.value, "outcome": outcome}
        self._worked.add(1, labels)
        self._age.record(age.total_seconds(), labels)
