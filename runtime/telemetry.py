"""Traces and metrics through OpenTelemetry.

Nothing is exported until the standard variables say where: OTEL_EXPORTER_OTLP_ENDPOINT (or its _TRACES_ and _METRICS_
forms). Until then the API's own no-op providers stand, and a span costs next to nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SCOPE = "scenemesh"


@contextmanager
def exporting(process: str) -> Iterator[None]:
    """Exports this process's spans and metrics while the block runs, where that is configured."""
    resource = Resource.create({SERVICE_NAME: process})
    tracing = _configured("TRACES")
    measuring = _configured("METRICS")
    if tracing:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        spans = TracerProvider(resource=resource)
        spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(spans)
    if measuring:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

        readings = MeterProvider(
            resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())]
        )
        metrics.set_meter_provider(readings)
    try:
        yield
    finally:
        if tracing:
            spans.shutdown()
        if measuring:
            readings.shutdown()


def _configured(signal: str) -> bool:
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return any(os.environ.get(name) for name in names)
