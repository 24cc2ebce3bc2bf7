"""What the edge says in its own words: access log lines, and the JSON of errors that no service made."""

from collections.abc import Mapping
from typing import Any

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLog,
    AccessLogFilter,
    AndFilter,
    ComparisonFilter,
    ComparisonFilterOp,
    HeaderFilter,
    MetadataFilter,
    NotHealthCheckFilter,
    OrFilter,
    StatusCodeFilter,
)
from envoy_data_plane.envoy.config.core.v3 import RuntimeUInt32, SubstitutionFormatString
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
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
from envoy_data_plane.google.protobuf import ListValue, Struct, Value

from mesh.resources import admission
from mesh.resources.resource import packed
from runtime.status import ERROR_DOMAIN

Json = str | int | list[Any] | dict[str, Any]

# The path comes without its query, and no header that a token may be in is written.
ACCESS_LOG = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",
    "rpc": "%ROUTE_NAME%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "request_bytes": "%BYTES_RECEIVED%",
    "response_bytes": "%BYTES_SENT%",
    "protocol": "%PROTOCOL%",
    "upstream": "%UPSTREAM_HOST%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace": "%REQ(TRACEPARENT)%",
}
# What an HTTP status of the edge's own is as google.rpc.Status: code and reason. The services' errors have that shape
# too, so a client reads one kind of body. 2 is UNKNOWN.
ERRORS = {
    400: (3, "INVALID_ARGUMENT"),
    401: (16, "UNAUTHENTICATED"),
    403: (7, "PERMISSION_DENIED"),
    404: (5, "NOT_FOUND"),
    408: (4, "DEADLINE_EXCEEDED"),
    413: (3, "BODY_TOO_LARGE"),
    429: (8, "RATE_LIMITED"),
    431: (3, "HEADERS_TOO_LARGE"),
    503: (14, "UNAVAILABLE"),
    504: (4, "DEADLINE_EXCEEDED"),
}
OTHER_ERROR = (2, "REFUSED_BY_EDGE")
# Admission marks its refusals, whose bodies are such a status already.
REFUSED = "refused"


def access_log() -> AccessLog:
    """A JSON line on stdout for every request but health checks."""
    return AccessLog(
        name="envoy.access_loggers.stdout",
        filter=AccessLogFilter(not_health_check_filter=NotHealthCheckFilter()),
        typed_config=packed(StdoutAccessLog(log_format=SubstitutionFormatString(json_format=_struct(ACCESS_LOG)))),
    )


def local_replies() -> LocalReplyConfig:
    """google.rpc.Status as JSON for REST callers. gRPC callers get a status without our help."""
    known = [
        ResponseMapper(filter=_all(_rest(), _code(ComparisonFilterOp.EQ, status)), body_format_override=_error(*error))
        for status, error in ERRORS.items()
    ]
    other = ResponseMapper(
        filter=_all(_rest(), _code(ComparisonFilterOp.GE, 400)), body_format_override=_error(*OTHER_ERROR)
    )
    return LocalReplyConfig(mappers=[ResponseMapper(filter=_refused()), *known, other])


def _error(code: int, reason: str) -> SubstitutionFormatString:
    info: Json = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": ERROR_DOMAIN,
        "metadata": {"edge": "%RESPONSE_CODE_DETAILS%"},
    }
    request = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "%REQ(X-REQUEST-ID)%"}
    body: dict[str, Json] = {"code": code, "message": "%LOCAL_REPLY_BODY%", "details": [info, request]}
    return SubstitutionFormatString(json_format=_struct(body), content_type="application/json")


def _all(*filters: AccessLogFilter) -> AccessLogFilter:
    return AccessLogFilter(and_filter=AndFilter(filters=list(filters)))


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


def _code(op: ComparisonFilterOp, code: int) -> AccessLogFilter:
    value = RuntimeUInt32(default_value=code, runtime_key=f"scenemesh.local_reply.{code}")
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=ComparisonFilter(op=op, value=value)))


def _struct(fields: Mapping[str, Json]) -> Struct:
    return Struct(fields={key: _value(value) for key, value in fields.items()})


def _value(value: Json) -> Value:
    match value:
        case str():
            return Value(string_value=value)
        case int():
            return Value(number_value=float(value))
        case list():
            return Value(list_value=ListValue(values=[_value(one) for one in value]))
    return Value(struct_value=_struct(value))
