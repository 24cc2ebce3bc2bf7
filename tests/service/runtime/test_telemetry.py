"""What a trace and a metric say of a call."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from runtime.context import caller
from runtime.errors import NotFound
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.harness.serving import Dial, served

SERVICE = "scenemesh.quota.v1.QuotaService"
WAIT_SECONDS = 60
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """Does what the caller's name says."""

    async def GetQuota(self, request: Any, context: Any) -> quota_pb2.Quota:
        match caller().user:
            case "defect":
                raise ValueError("x")
            case "missing":
                raise NotFound("There is none.", reason="QUOTA_NOT_FOUND")
        return quota_pb2.Quota()


@pytest.fixture(scope="module")
def readings() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
    return reader


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
async def dial(
    certificates: Path, exporter: InMemorySpanExporter, readings: InMemoryMetricReader
) -> AsyncIterator[Dial]:
    register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, Quota())  # type: ignore[abstract]
    async with served(certificates, "quota", register, SERVICE) as dial:
        exporter.clear()
        yield dial


async def _span(dial: Dial, exporter: InMemorySpanExporter, user: str) -> ReadableSpan:
    stub = quota_pb2_grpc.QuotaServiceStub(dial("edge"))
    metadata = (("x-user-id", user), ("traceparent", TRACE_PARENT))
    await stub.GetQuota(quota_pb2.GetQuotaRequest(name="users/me/quota"), metadata=metadata).code()
    async with asyncio.timeout(WAIT_SECONDS):
        # It ends after the call that it tells of.
        while not exporter.get_finished_spans():
            await asyncio.sleep(0.01)
    (span,) = exporter.get_finished_spans()
    return span


@pytest.mark.parametrize(
    ("user", "code", "status"),
    [
        ("alice", grpc.StatusCode.OK, StatusCode.UNSET),
        ("missing", grpc.StatusCode.NOT_FOUND, StatusCode.UNSET),
        ("defect", grpc.StatusCode.INTERNAL, StatusCode.ERROR),
    ],
)
async def test_a_span_tells_the_outcome_and_goes_on_from_the_callers_trace(
    dial: Dial, exporter: InMemorySpanExporter, user: str, code: grpc.StatusCode, status: StatusCode
) -> None:
    span = await _span(dial, exporter, user)
    assert (span.name, span.status.status_code) == (f"{SERVICE}/GetQuota", status)
    assert dict(span.attributes or {})["rpc.grpc.status_code"] == code.value[0]
    assert f"{span.context.trace_id:032x}" == TRACE_PARENT.split("-")[1]


async def test_a_call_is_measured_under_its_method_and_code(dial: Dial, readings: InMemoryMetricReader) -> None:
    stub = quota_pb2_grpc.QuotaServiceStub(dial("edge"))
    request = quota_pb2.GetQuotaRequest(name="users/me/quota")
    await stub.GetQuota(request, metadata=(("x-user-id", "missing"),)).code()
    async with asyncio.timeout(WAIT_SECONDS):
        while {"rpc.method": f"{SERVICE}/GetQuota", "rpc.grpc.status_code": 5} not in _measured(readings):
            await asyncio.sleep(0.01)


def _measured(readings: InMemoryMetricReader) -> list[dict[str, Any]]:
    """What is said of every call that was measured."""
    data = readings.get_metrics_data()
    return [
        dict(point.attributes or {})
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "rpc.server.duration"
        for point in metric.data.data_points
    ]
