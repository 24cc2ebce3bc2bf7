"""One refusal, shaped so that each kind of caller understands it.

Envoy turns a denial into a local reply. For REST that is an HTTP status and a body. For gRPC and grpc-web it is a call
that ended: HTTP 200 whose headers carry the status. Any other HTTP status would hide them from grpc-web clients, and
gRPC clients would be told UNKNOWN.
"""

import base64
from collections.abc import Mapping
from enum import Enum
from urllib.parse import quote

from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2 as auth
from envoy.type.v3 import http_status_pb2
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2

from runtime.errors import Code

# What refusals are over HTTP; 402 is the field's word for "pay and go on".
HTTP_STATUS = {Code.UNAUTHENTICATED: 401, Code.RESOURCE_EXHAUSTED: 402, Code.UNAVAILABLE: 503}

# What grpc-message carries as it is, by gRPC's own rule; the rest, and "%" itself, is percent-encoded UTF-8.
PRINTABLE = "".join(chr(byte) for byte in range(0x20, 0x7F) if byte != ord("%"))

# By this the listener knows a body that stands as it is from a failed check, whose body it makes itself.
REFUSED = "refused"


class Protocol(Enum):
    """How the caller speaks, as far as a refusal cares: grpc-web has become gRPC before admission is asked."""

    REST = "rest"
    GRPC = "grpc"


def protocol(headers: Mapping[str, str]) -> Protocol:
    """The protocol of a request by its headers (names in lower case)."""
    return Protocol.GRPC if headers.get("content-type", "").startswith("application/grpc") else Protocol.REST


def denial(status: status_pb2.Status, speaks: Protocol) -> auth.CheckResponse:
    """The answer to Envoy that refuses a call with `status`."""
    denied = _rest(status) if speaks is Protocol.REST else _grpc(status)
    response = auth.CheckResponse(
        status=status_pb2.Status(code=code_pb2.PERMISSION_DENIED, message=status.message), denied_response=denied
    )
    response.dynamic_metadata[REFUSED] = True
    return response


def _rest(status: status_pb2.Status) -> auth.DeniedHttpResponse:
    return auth.DeniedHttpResponse(
        status=http_status_pb2.HttpStatus(code=HTTP_STATUS[Code(status.code)]),
        headers=[_header("content-type", "application/json")],
        body=json_format.MessageToJson(status, preserving_proto_field_name=True, indent=None),
    )


def _grpc(status: status_pb2.Status) -> auth.DeniedHttpResponse:
    details = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    return auth.DeniedHttpResponse(
        status=http_status_pb2.HttpStatus(code=http_status_pb2.OK),
        headers=[
            _header("grpc-status", str(status.code)),
            _header("grpc-message", quote(status.message, safe=PRINTABLE)),
            _header("grpc-status-details-bin", details),
        ],
    )


def _header(name: str, value: str) -> base_pb2.HeaderValueOption:
    return base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=name, value=value),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
