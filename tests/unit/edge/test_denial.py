import base64
import json

import pytest
from envoy.service.auth.v3 import external_auth_pb2 as auth
from google.rpc import status_pb2

from edge.denial import Protocol, denial, protocol
from runtime.errors import MeshError, QuotaExhausted, Unauthenticated, Unavailable
from runtime.status import to_proto
from scenemesh.quota.v1 import quota_pb2

EXHAUSTED = QuotaExhausted(
    "All are used: pay 100%.",
    subject="users/ada/meters/chat",
    metadata={"meter": "chat"},
    details=[quota_pb2.Decision(meter="chat", limit=5, used=5)],
)


def _headers(response: auth.CheckResponse) -> dict[str, str]:
    return {option.header.key: option.header.value for option in response.denied_response.headers}


@pytest.mark.parametrize(
    ("content_type", "speaks"),
    [
        ("application/grpc", Protocol.GRPC),
        ("application/grpc+proto", Protocol.GRPC),
        ("application/json", Protocol.REST),
        (None, Protocol.REST),
    ],
)
def test_the_content_type_tells_how_a_caller_speaks(content_type: str | None, speaks: Protocol) -> None:
    assert protocol({"content-type": content_type} if content_type else {}) is speaks


def test_over_rest_the_body_is_the_status_as_json() -> None:
    status = to_proto(EXHAUSTED, "r1")
    response = denial(status, Protocol.REST)
    assert (response.denied_response.status.code, _headers(response)) == (402, {"content-type": "application/json"})
    body = json.loads(response.denied_response.body)
    assert (body["code"], body["message"]) == (8, EXHAUSTED.message)
    assert [detail["@type"].rpartition(".")[2] for detail in body["details"]] == [
        "ErrorInfo",
        "QuotaFailure",
        "Decision",
        "RequestInfo",
    ]
    assert body["details"][2] == {
        "@type": "type.googleapis.com/scenemesh.quota.v1.Decision",
        "meter": "chat",
        "limit": "5",
        "used": "5",
    }


def test_over_grpc_it_is_a_call_that_ended_with_the_status_in_its_headers() -> None:
    status = to_proto(EXHAUSTED, "r1")
    response = denial(status, Protocol.GRPC)
    assert (response.denied_response.status.code, response.denied_response.body) == (200, "")
    headers = _headers(response)
    assert (headers["grpc-status"], headers["grpc-message"]) == ("8", "All are used: pay 100%25.")
    encoded = headers["grpc-status-details-bin"]
    assert status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4))) == status


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unauthenticated("Who?", reason="NO_SUBJECT"), 401),
        (Unavailable("Later.", reason="QUOTA_UNAVAILABLE"), 503),
    ],
)
def test_other_refusals_keep_their_own_code(error: MeshError, code: int) -> None:
    assert denial(to_proto(error, "r1"), Protocol.REST).denied_response.status.code == code
