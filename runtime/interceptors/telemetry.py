"""A span, a duration and a log line for every call; the request id that ties them together."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import grpc
import structlog
from opentelemetry import metrics, propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from runtime.context import REQUEST_ID
from runtime.interceptors.call import Call
from runtime.telemetry import SCOPE

log = structlog.get_logger()

REQUEST_ID_HEADER = "x-request-id"
CANCELLED = 1
INTERNAL = 13
# Codes that mean that we, not the caller, failed.
SERVER_FAULTS = frozenset({2, 4, 12, 13, 14, 15})


@asynccontextmanager
async def telemetry(call: Call) -> AsyncIterator[None]:
    REQUEST_ID.set(_request_id(call.metadata.get(REQUEST_ID_HEADER, "")))
    parent = propagate.extract(call.metadata)
    began = time.perf_counter()
    with trace.get_tracer(SCOPE).start_as_current_span(
        call.path.lstrip("/"),
        context=parent,
        kind=SpanKind.SERVER,
        # What is an error is decided below, by the code: an abort is how a refusal leaves a handler.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            call.code = call.code or CANCELLED
            raise
        except grpc.aio.AbortError:
            raise
        except BaseException:
            # A status that could not be sent, because the caller had gone, is still what became of the call.
            call.code = call.code or INTERNAL
            raise
        finally:
            duration_ms = (time.perf_counter() - began) * 1000
            name = grpc_code(call.code)
            span.set_attribute("rpc.system", "grpc")
            span.set_attribute("rpc.grpc.status_code", call.code)
            span.set_status(StatusCode.ERROR if call.code in SERVER_FAULTS else StatusCode.UNSET)
            _durations().record(duration_ms, {"rpc.method": call.path.lstrip("/"), "rpc.grpc.status_code": call.code})
            write = log.warning if call.code in SERVER_FAULTS else log.info
            write("rpc", rpc=call.path.lstrip("/"), code=name, duration_ms=round(duration_ms, 1))


@cache
def _durations() -> metrics.Histogram:
    return metrics.get_meter(SCOPE).create_histogram("rpc.server.duration", unit="ms")


@cache
def grpc_code(number: int) -> str:
    """The name of a status code by its number on the wire."""
    return next(code.name for code in grpc.StatusCode if code.value[0] == number)


def _request_id(sent: str) -> str:
    return sent if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sent) else str(uuid.uuid4())
