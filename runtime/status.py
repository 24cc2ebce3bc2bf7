"""Errors on the wire: `google.rpc.Status` with its details, both ways."""

from typing import Any, TypeVar, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from runtime.errors import Internal, InvalidArgument, MeshError, Overloaded, QuotaExhausted, Unavailable

ERROR_DOMAIN = "scenemesh"

# The wire carries details in a trailer, and gRPC peers refuse metadata beyond 8 KiB: so many faults are told at most.
VIOLATIONS_MAX = 20
# Both may repeat what a caller sent.
MESSAGE_CHARACTERS_MAX = 1_000
DESCRIPTION_CHARACTERS_MAX = 300

Detail = TypeVar("Detail", bound=Message)


def to_proto(error: MeshError, request_id: str) -> status_pb2.Status:
    """The status of an error. Every one carries ErrorInfo and RequestInfo; an Internal one tells nothing else."""
    status = status_pb2.Status(code=int(error.code), message=error.message[:MESSAGE_CHARACTERS_MAX])
    if isinstance(error, Internal):
        status.message = f"Something broke on our side. Tell us this request id: {request_id}"
    for one in (*_details(error), error_details_pb2.RequestInfo(request_id=request_id)):
        status.details.add().Pack(one)
    return status


def to_grpc(error: MeshError, request_id: str) -> grpc.Status:
    """The same as grpc.aio's `abort_with_status` takes it."""
    status = rpc_status.to_status(to_proto(error, request_id))
    if isinstance(error, Overloaded):
        pushback = ("grpc-retry-pushback-ms", str(int(error.retry_after_seconds * 1000)))
        status = status._replace(trailing_metadata=(*status.trailing_metadata, pushback))
    return cast("grpc.Status", status)


def error_info(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo that a failed call carried; an empty one when it carried none."""
    return detail(error, error_details_pb2.ErrorInfo) or error_details_pb2.ErrorInfo()


def detail(error: grpc.RpcError, kind: type[Detail]) -> Detail | None:
    """The first detail of that kind that a failed call carried."""
    status = rpc_status.from_call(cast("Any", error))
    found = kind()
    return found if status is not None and any(one.Unpack(found) for one in status.details) else None


def _details(error: MeshError) -> list[Message]:
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN)
    details: list[Message] = [info]
    match error:
        case Internal():
            pass
        case InvalidArgument():
            violations = [
                error_details_pb2.BadRequest.FieldViolation(
                    field=one.field, description=one.description[:DESCRIPTION_CHARACTERS_MAX]
                )
                for one in error.violations[:VIOLATIONS_MAX]
            ]
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        case QuotaExhausted():
            violation = error_details_pb2.QuotaFailure.Violation(subject=error.subject, description=error.message)
            details.append(error_details_pb2.QuotaFailure(violations=[violation]))
        case Unavailable() | Overloaded():
            delay = Duration()
            delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    info.metadata.update(error.metadata)
    return [*details, *error.details]
