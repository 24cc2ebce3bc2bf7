"""A collector of traces and metrics, as OpenTelemetry's exporters speak to one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Keeps all that it is told; `environment` has processes tell it, soon."""

    def __init__(self) -> None:
        self.address = ""
        # Names of spans.
        self.spans: list[str] = []
        # Everything, as text.
        self.told: list[str] = []
        self.measured = 0

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.address}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }

    # Both services call it so; what is asked tells which of them is meant.
    async def Export(self, request: Any, context: Any) -> Any:
        self.told.append(str(request))
        if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest):
            self.measured += 1
            return metrics_service_pb2.ExportMetricsServiceResponse()
        scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
        self.spans += [span.name for scope in scopes for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector, server = Collector(), grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
