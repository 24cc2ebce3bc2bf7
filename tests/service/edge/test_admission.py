"""Admission at the wire, with quota_svc faked at the wire."""

import json

import pytest
from envoy.service.auth.v3 import external_auth_pb2 as auth
from envoy.service.auth.v3 import external_auth_pb2_grpc as auth_grpc

from tests.harness.serving import Dial


async def _check(admission: Dial, user: str) -> auth.CheckResponse:
    request = auth.CheckRequest()
    request.attributes.context_extensions.update({"meter": "chat", "rpc": "/x/Y"})
    if user:
        request.attributes.request.http.headers["x-user-id"] = user
    response: auth.CheckResponse = await auth_grpc.AuthorizationStub(admission("edge")).Check(request)
    return response


@pytest.mark.parametrize("user", ["rich", "watched"])
async def test_credit_left_and_a_shadow_limit_let_a_call_through(admission: Dial, user: str) -> None:
    assert await _check(admission, user) == auth.CheckResponse(ok_response=auth.OkHttpResponse())


@pytest.mark.parametrize(
    ("user", "code", "reason"),
    [
        ("spent", 402, "QUOTA_EXHAUSTED"),
        ("", 401, "NO_SUBJECT"),
        ("b a d", 401, "BAD_SUBJECT"),
        ("unlucky", 503, "QUOTA_UNAVAILABLE"),
    ],
)
async def test_everything_else_is_refused_with_its_reason(admission: Dial, user: str, code: int, reason: str) -> None:
    denied = (await _check(admission, user)).denied_response
    assert denied.status.code == code
    assert json.loads(denied.body)["details"][0]["reason"] == reason
