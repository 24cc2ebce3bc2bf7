"""Nobody gets in who should not."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from runtime.contract import Audience, Contract, Method, descriptor_set_path
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.e2e.clients import Rest, bearer, channel
from tests.e2e.stack import Stack

QUOTA = "/v1/users/me/quota"
ISSUER = "https://issuer.scenemesh.local"


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "scenemesh", "sub": "mallory", "role": "user", "iat": now, "exp": now + 600}
    return {key: value for key, value in {**claims, **changes}.items() if value is not None}


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _unsigned(algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(_claims())}."


def _signed_with(secret: str, header: dict[str, str]) -> str:
    signed = f"{_part(header)}.{_part(_claims())}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _forgeries(stack: Stack) -> dict[str, str]:
    """Tokens that must not open anything, by what is wrong with them."""
    true = stack.token(user="mallory")
    header, payload, signature = true.split(".")
    stranger = ec.generate_private_key(ec.SECP256R1())
    kid = jwt.get_unverified_header(true)["kid"]
    public = json.dumps(json.loads((stack.state / "keys" / "issuer.jwks.json").read_text())["keys"][0])
    return {
        "alg none": _unsigned("none"),
        "alg None": _unsigned("None"),
        "alg nOnE": _unsigned("nOnE"),
        "no alg": f"{_part({'typ': 'JWT'})}.{_part(_claims())}.",
        "another key under our key id": jwt.encode(_claims(), stranger, "ES256", headers={"kid": kid}),
        "our public key as an HMAC secret": _signed_with(public, {"alg": "HS256", "typ": "JWT", "kid": kid}),
        "a key in the token's own header": jwt.encode(
            _claims(),
            stranger,
            "ES256",
            headers={"jwk": jwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key(), True)},
        ),
        "a key set that the token names": jwt.encode(
            _claims(), stranger, "ES256", headers={"jku": f"{stack.provider.fake.url}/v1/models"}
        ),
        "a certificate that the token names": jwt.encode(
            _claims(), stranger, "ES256", headers={"x5u": f"{stack.provider.fake.url}/v1/models"}
        ),
        "a key id that is a path": jwt.encode(_claims(), stranger, "ES256", headers={"kid": "../../../../dev/null"}),
        "a key id that is SQL": jwt.encode(_claims(), stranger, "ES256", headers={"kid": "' OR 1=1 --"}),
        "changed payload": f"{header}.{_part(_claims(sub='alice'))}.{signature}",
        "no signature": f"{header}.{payload}.",
        "short signature": f"{header}.{payload}.{signature[:20]}",
        "two parts": f"{header}.{payload}",
        "four parts": f"{true}.x",
        "expired": stack.token(user="mallory", hours=-2),
        "empty": "",
    }


async def test_no_token_is_unauthenticated(stack: Stack) -> None:
    assert (await Rest(stack.url).call("GET", QUOTA)).status == 401


async def test_no_forgery_opens_anything(stack: Stack) -> None:
    statuses = {
        fault: (await Rest(stack.url).call("GET", QUOTA, headers={"authorization": f"Bearer {token}"})).status
        for fault, token in _forgeries(stack).items()
    }
    assert statuses == dict.fromkeys(statuses, 401)


ASKED_FOR = [method for method in Contract.load(descriptor_set_path()) if method.policy.audience is Audience.USER]


@pytest.mark.parametrize("method", ASKED_FOR, ids=lambda method: method.name)
async def test_no_method_for_people_answers_nobody(stack: Stack, method: Method) -> None:
    async with channel(stack.url) as grpc_channel:
        if method.response_streaming:
            stream: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = grpc_channel.unary_stream(method.path)
            code = await stream(b"").code()
        else:
            unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = grpc_channel.unary_unary(method.path)
            code = await unary(b"").code()
    assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_around_the_edge_there_is_no_way_in(stack: Stack) -> None:
    """A service's own port takes nobody without a certificate, whatever headers they bring."""
    target = stack.described()["processes"]["quota"]["address"]
    headers = (("x-user-id", "alice"), ("x-user-role", "operator"))
    anonymous = grpc.ssl_channel_credentials((stack.state / "certificates" / "ca.pem").read_bytes())
    for direct in (grpc.aio.insecure_channel(target), grpc.aio.secure_channel(target, anonymous)):
        async with direct:
            stub = quota_pb2_grpc.QuotaServiceStub(direct)
            call = stub.GetQuota(quota_pb2.GetQuotaRequest(name="users/me/quota"), metadata=headers, timeout=60)
            assert await call.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_forged_token_is_refused_even_where_none_is_needed(stack: Stack) -> None:
    assert (await Rest(stack.url, _unsigned("none")).call("GET", "/v1/plans")).status == 401


async def test_a_refusal_over_grpc_is_unauthenticated(stack: Stack) -> None:
    for token in (None, _unsigned("none")):
        async with channel(stack.url) as grpc_channel:
            stub = quota_pb2_grpc.QuotaServiceStub(grpc_channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetQuota(
                    quota_pb2.GetQuotaRequest(name="users/me/quota"), metadata=bearer(token) if token else None
                )
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


SPOOFED = {"x-user-id": "alice", "x-user-role": "operator", "x-mesh-peer": "edge", "X-User-Email": "alice@example.com"}


async def test_identity_headers_from_outside_are_dropped(stack: Stack) -> None:
    assert (await Rest(stack.url).call("GET", QUOTA, headers=SPOOFED)).status == 401
    mallory = await Rest(stack.url, stack.token(user="mallory")).call("GET", QUOTA, headers=SPOOFED)
    assert (mallory.status, mallory.body["name"]) == (200, "users/mallory/quota")
    assert (await Rest(stack.url).call("GET", "/v1/plans", headers=SPOOFED)).status == 200


async def test_what_belongs_to_another_does_not_exist(stack: Stack) -> None:
    alice, mallory = (Rest(stack.url, stack.token(user=user)) for user in ("identity-alice", "mallory"))
    conversation = await alice.conversation()
    message = (await alice.turn(conversation))[0]["message"]
    for verb, path, body in (
        ("GET", f"/v1/{conversation}", None),
        ("GET", f"/v1/{conversation}/messages", None),
        ("POST", f"/v1/{conversation}/messages:send", {"text": "Hello?"}),
        ("GET", f"/v1/{message}:watch", None),
        ("GET", "/v1/users/identity-alice/quota", None),
        ("GET", "/v1/users/identity-alice/quota:watch", None),
        ("PATCH", "/v1/users/identity-alice/quota", {"time_zone": "UTC"}),
        ("GET", "/v1/users/identity-alice/entries", None),
        ("GET", "/v1/users/identity-alice/subscription", None),
    ):
        refused = await mallory.call(verb, path, body)
        assert (path, refused.status) == (path, 404)


async def test_a_users_holds_are_for_operators(stack: Stack) -> None:
    alice, olga = (Rest(stack.url, stack.token(user="identity-alice", role=role)) for role in ("user", "operator"))
    await alice.turn(await alice.conversation())
    path = "/v1/users/identity-alice/holds"
    assert [(await rest.call("GET", path)).status for rest in (alice, olga)] == [403, 200]


@pytest.mark.parametrize(
    "path", sorted(method.path for method in Contract.load(descriptor_set_path()) if not method.external)
)
async def test_internal_methods_have_no_way_in(stack: Stack, path: str) -> None:
    token = stack.token(user="olga", role="operator")
    async with channel(stack.url) as grpc_channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = grpc_channel.unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", metadata=bearer(token))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("path", ["/config_dump", "/stats", "/quitquitquit", "/v1/../config_dump", "/v1/%2e%2e/stats"])
async def test_envoys_own_administration_has_no_way_in(stack: Stack, path: str) -> None:
    answer = await Rest(stack.url, stack.token(user="olga", role="operator")).call("GET", path)
    assert answer.status in (400, 404)


async def test_reflection_is_for_operators(stack: Stack) -> None:
    import grpc

    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async with channel(stack.url) as grpc_channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(grpc_channel).ServerReflectionInfo
        shown = ask(iter([request]), metadata=bearer(stack.token(user="olga", role="operator")))
        services = [one.name async for answer in shown for one in answer.list_services_response.service]
        assert "scenemesh.chat.v1.ChatService" in services
        # Refused before anything is sent, so nothing is.
        refused = ask(iter([]), metadata=bearer(stack.token(user="olga")))
        assert await refused.code() is grpc.StatusCode.PERMISSION_DENIED
