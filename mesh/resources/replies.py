"""What the edge answers by itself, in our words: which of Envoy's replies becomes which sentence, in which shape.

Every error of ours is a google.rpc.Status, and so is each of these. Over REST it is the body, as JSON. Over gRPC and
grpc-web it is a call that ended: HTTP 200 whose headers carry the status. What Envoy itself says about a reply stays in
the metadata of ErrorInfo, as `edge`; over gRPC, where a header cannot be put together, it stands in the access log.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLogFilter,
    AndFilter,
    ComparisonFilter,
    ComparisonFilterOp,
    ExtensionFilter,
    HeaderFilter,
    MetadataFilter,
    OrFilter,
    StatusCodeFilter,
)
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    RuntimeUInt32,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.envoy.type.matcher.v3 import (
    MetadataMatcher,
    MetadataMatcherPathSegment,
    StringMatcher,
    ValueMatcher,
)
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from mesh.resources import admission, limits
from mesh.resources.formats import struct
from mesh.resources.resource import packed
from mesh.topology import Topology
from runtime.status import ERROR_DOMAIN

# Admission marks its refusals, which are such a status already.
REFUSED = "refused"
ENVOYS_WORDS = "%LOCAL_REPLY_BODY%"

NOT_HTTP = "This is not HTTP as it is spoken here. Call with a client of HTTP/1.1 or HTTP/2."
AGAIN = "Call again; where the request has a request_id, with the same one, so that nothing is done twice."
NOT_REACHED = "The service cannot be reached just now, and nothing was done. Wait a moment and call again."
BUSY = "Too much is asked of the service just now, and nothing was done. Wait a moment and call again."
BROKEN_OFF = f"The service broke off before it answered. {AGAIN}"
LATE = f"The answer took longer than this call may take. {AGAIN}"


@dataclass(frozen=True)
class Error:
    """What an HTTP status of Envoy's is as a status of ours; `grpc_code` is for gRPC what `code` is for REST."""

    code: int
    reason: str
    grpc_code: int


@dataclass(frozen=True)
class Reply:
    """A reply of Envoy's and our sentence for it; the first that fits is the one.

    `status` is Envoy's HTTP status, `details` a pattern that is found in its response code details, and `routes` are
    those on which it is so; an empty one leaves that open. A caller who waits `retry_seconds` and calls again does no
    harm.
    """

    status: int
    message: str
    details: str = ""
    routes: tuple[str, ...] = ()
    retry_seconds: int = 0


ERRORS = {
    400: Error(code_pb2.INVALID_ARGUMENT, "INVALID_ARGUMENT", code_pb2.INVALID_ARGUMENT),
    401: Error(code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", code_pb2.UNAUTHENTICATED),
    403: Error(code_pb2.PERMISSION_DENIED, "PERMISSION_DENIED", code_pb2.PERMISSION_DENIED),
    # gRPC's own word for it, by which clients know that they are of another version.
    404: Error(code_pb2.NOT_FOUND, "NOT_FOUND", code_pb2.UNIMPLEMENTED),
    408: Error(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", code_pb2.DEADLINE_EXCEEDED),
    413: Error(code_pb2.INVALID_ARGUMENT, "BODY_TOO_LARGE", code_pb2.INVALID_ARGUMENT),
    429: Error(code_pb2.RESOURCE_EXHAUSTED, "RATE_LIMITED", code_pb2.RESOURCE_EXHAUSTED),
    431: Error(code_pb2.INVALID_ARGUMENT, "HEADERS_TOO_LARGE", code_pb2.INVALID_ARGUMENT),
    502: Error(code_pb2.UNAVAILABLE, "UNAVAILABLE", code_pb2.UNAVAILABLE),
    503: Error(code_pb2.UNAVAILABLE, "UNAVAILABLE", code_pb2.UNAVAILABLE),
    504: Error(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", code_pb2.DEADLINE_EXCEEDED),
}
OTHER_ERROR = Error(code_pb2.UNKNOWN, "REFUSED_BY_EDGE", code_pb2.UNKNOWN)

# Which of Envoy's replies has which sentence. What depends on the route is put before these.
REPLIES = (
    Reply(
        400,
        f"The request is not as gen/openapi.yaml has it. Mend it and call again: {ENVOYS_WORDS}",
        details="json_transcode_failure",
    ),
    Reply(
        400,
        "This path cannot be read. Write it without an escaped slash or backslash.",
        details="path_normalization",
    ),
    Reply(
        400,
        "The name of a header has an underscore, which is not let in here. Write it with a hyphen, or leave it out.",
        details="unexpected_underscore",
    ),
    Reply(400, NOT_HTTP),
    Reply(
        401,
        "This call needs a token. Sign in, and send yours as `authorization: Bearer TOKEN`.",
        details="Jwt_is_missing",
    ),
    Reply(401, "The token has expired. Sign in again, and call with the new one.", details="Jwt_is_expired"),
    Reply(
        401,
        "The token cannot be checked just now, because its issuer does not answer. Wait a moment and call again.",
        details="Jwks_remote_fetch",
        retry_seconds=1,
    ),
    Reply(401, "The token is not one that is taken here. Sign in again, and call with the new one."),
    Reply(
        403,
        "The token is meant for another service. Sign in for this one, and call with the new one.",
        details="Audiences",
    ),
    Reply(403, "This call is for operators alone. Call with the token of one."),
    Reply(
        404,
        "Nothing here answers to this method and path. gen/openapi.yaml lists what does over REST, protos/ over gRPC.",
    ),
    Reply(408, LATE, details="duration"),
    Reply(408, f"The request did not arrive in time. {AGAIN}"),
    Reply(
        431, f"The headers are too large. Send at most {limits.HEADERS_MAX}, of {limits.HEADERS_KIB_MAX} KiB together."
    ),
    *(Reply(status, NOT_HTTP) for status in (426, 501, 505)),
    Reply(502, BROKEN_OFF),
    Reply(
        503,
        "Credit cannot be checked just now, and nothing was done. Wait a moment and call again.",
        details="ext_authz",
        retry_seconds=1,
    ),
    Reply(503, BUSY, details="overload|overflow", retry_seconds=1),
    Reply(
        503,
        NOT_REACHED,
        details="no_healthy_upstream|connection_failure|connection_timeout|refused_stream|cluster_not_found|health_check",
        retry_seconds=1,
    ),
    # Whether something was done nobody knows: only who has a request_id may call again without a look.
    Reply(503, BROKEN_OFF),
    Reply(504, LATE),
)
# For every other status that is at least so high.
OTHERS = (
    Reply(500, "Something broke on the way to the service. If it does so again, tell us the request id."),
    Reply(400, "The edge does not let this request in. gen/openapi.yaml says what a request looks like."),
)


def local_replies(topology: Topology) -> LocalReplyConfig:
    """Every reply that Envoy makes by itself, for each kind of caller."""
    mappers = [ResponseMapper(filter=_refused())]
    for reply in (*too_often(topology), *too_large(topology), *REPLIES):
        mappers += _mapped(reply, ERRORS.get(reply.status, OTHER_ERROR), ComparisonFilterOp.EQ)
    for reply in OTHERS:
        mappers += _mapped(reply, OTHER_ERROR, ComparisonFilterOp.GE)
    return LocalReplyConfig(mappers=mappers)


def too_often(topology: Topology) -> Iterator[Reply]:
    """By how long it takes until one more call is let in."""
    routes: dict[int, list[str]] = {1: []}
    for method in topology.methods:
        if method.external and method.policy.rate_limit is not None:
            routes.setdefault(limits.wait_seconds(method.policy.rate_limit), []).append(method.path)
    for seconds, names in sorted(routes.items(), reverse=True):
        yield Reply(
            429,
            f"Too many calls of this kind. Wait {seconds} s and call again.",
            # The shortest one is also for what is counted for everybody together.
            routes=() if seconds == 1 else tuple(names),
            retry_seconds=seconds,
        )


def too_large(topology: Topology) -> Iterator[Reply]:
    """By how large a request may be."""
    routes: dict[int, list[str]] = {}
    for method in topology.methods:
        if method.external:
            routes.setdefault(limits.request_bytes_max(method), []).append(method.path)
    for bytes_max, names in sorted(routes.items(), reverse=True):
        yield Reply(
            413,
            f"The request is larger than the {bytes_max // 1024} KiB that this call may have. Send less at once.",
            routes=() if bytes_max == limits.REQUEST_BYTES_MAX else tuple(names),
        )


def _mapped(reply: Reply, error: Error, op: ComparisonFilterOp) -> Iterator[ResponseMapper]:
    fits = [_status_code(op, reply.status), *_conditions(reply)]
    yield ResponseMapper(filter=_all(_rest(), *fits), body_format_override=_body(reply, error))
    # Who does not speak REST speaks gRPC, and whose words differ from call to call cannot be put into a header.
    if ENVOYS_WORDS not in reply.message:
        # Any other HTTP status would hide the headers from grpc-web clients.
        yield ResponseMapper(
            filter=_all(*fits),
            status_code=200,
            body=DataSource(inline_string=""),
            headers_to_add=_headers(reply, error),
        )


def _body(reply: Reply, error: Error) -> SubstitutionFormatString:
    status = _status(reply, error.code, error.reason, {"edge": "%RESPONSE_CODE_DETAILS%"})
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id="%REQ(X-REQUEST-ID)%"))
    body = json_format.MessageToDict(status, preserving_proto_field_name=True)
    return SubstitutionFormatString(json_format=struct(body), content_type="application/json")


def _headers(reply: Reply, error: Error) -> list[HeaderValueOption]:
    status = _status(reply, error.grpc_code, error.reason, {})
    values = {
        "grpc-status": str(status.code),
        "grpc-message": reply.message,
        "grpc-status-details-bin": base64.b64encode(status.SerializeToString()).decode().rstrip("="),
    }
    return [
        HeaderValueOption(
            header=HeaderValue(key=key, value=value),
            append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for key, value in values.items()
    ]


def _status(reply: Reply, code: int, reason: str, metadata: dict[str, str]) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=reply.message)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=ERROR_DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if reply.retry_seconds:
        delay = Duration(seconds=reply.retry_seconds)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _conditions(reply: Reply) -> Iterator[AccessLogFilter]:
    if reply.details:
        yield _expression(f"response.code_details.matches('{reply.details}')")
    if reply.routes:
        yield _expression(f"xds.route_name in {list(reply.routes)}")


def _expression(text: str) -> AccessLogFilter:
    cel = ExtensionFilter(
        name="envoy.access_loggers.extension_filters.cel", typed_config=packed(ExpressionFilter(expression=text))
    )
    return AccessLogFilter(extension_filter=cel)


def _all(*filters: AccessLogFilter) -> AccessLogFilter:
    # Envoy refuses a list of one.
    return filters[0] if len(filters) == 1 else AccessLogFilter(and_filter=AndFilter(filters=list(filters)))


def _rest() -> AccessLogFilter:
    """Matches REST calls, before and after the transcoder made gRPC calls of them."""
    other_type = HeaderMatcher(
        name="content-type",
        string_match=StringMatcher(prefix="application/grpc"),
        invert_match=True,
        # Without this, a request that has no such header matches neither way.
        treat_missing_header_as_empty=True,
    )
    transcoded = HeaderMatcher(name="x-envoy-original-path", present_match=True)
    either = [AccessLogFilter(header_filter=HeaderFilter(header=header)) for header in (other_type, transcoded)]
    return AccessLogFilter(or_filter=OrFilter(filters=either))


def _refused() -> AccessLogFilter:
    said = MetadataMatcher(
        filter=admission.FILTER,
        path=[MetadataMatcherPathSegment(key=REFUSED)],
        value=ValueMatcher(bool_match=True),
    )
    return AccessLogFilter(metadata_filter=MetadataFilter(matcher=said, match_if_key_not_found=False))


def _status_code(op: ComparisonFilterOp, code: int) -> AccessLogFilter:
    value = RuntimeUInt32(default_value=code, runtime_key=f"scenemesh.local_reply.{code}")
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=ComparisonFilter(op=op, value=value)))
