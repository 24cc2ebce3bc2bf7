"""JSON that Envoy writes: the lines of the access log."""

from collections.abc import Mapping
from typing import Any

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLog,
    AccessLogFilter,
    NotHealthCheckFilter,
)
from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.google.protobuf import ListValue, Struct, Value

from mesh.resources.resource import packed

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


def access_log() -> AccessLog:
    """A JSON line on stdout for every request but health checks."""
    return AccessLog(
        name="envoy.access_loggers.stdout",
        filter=AccessLogFilter(not_health_check_filter=NotHealthCheckFilter()),
        typed_config=packed(StdoutAccessLog(log_format=SubstitutionFormatString(json_format=struct(ACCESS_LOG)))),
    )


def struct(fields: Mapping[str, Json]) -> Struct:
    """A format of Envoy's, from the JSON that it makes."""
    return Struct(fields={key: _value(value) for key, value in fields.items()})


def _value(value: Json) -> Value:
    match value:
        case str():
            return Value(string_value=value)
        case int():
            return Value(number_value=float(value))
        case list():
            return Value(list_value=ListValue(values=[_value(one) for one in value]))
    return Value(struct_value=struct(value))
