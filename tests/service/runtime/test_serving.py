"""The server around every handler: identity, errors, deadlines, and its end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from runtime.context import caller, request_id
from runtime.errors import NotFound
from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.harness.patience import DEADLINE, policy_seconds
from tests.harness.serving import Dial, served

SERVICE = "scenemesh.quota.v1.QuotaService"
ECHO = "test.Echo"
ARITIES = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """Answers who called; fails as the caller's name says."""

    async def GetQuota(self, request: Any, context: Any) -> quota_pb2.Quota:
        match caller().user:
            case "defect":
                raise ValueError("the secret detail")
            case "nothing":
                return None  # type: ignore[return-value]
            case "missing":
                raise NotFound("There is none.", reason="QUOTA_NOT_FOUND")
            case "slow":
                await asyncio.Event().wait()
        return quota_pb2.Quota(name=f"{caller().peer} {caller().user} {caller().role.value} {request_id()}")

    async def Reserve(self, request: Any, context: Any) -> quota_pb2.ReserveResponse:
        return quota_pb2.ReserveResponse()

    async def CheckAdmission(self, request: Any, context: Any) -> quota_pb2.Decision:
        return quota_pb2.Decision(meter=request.meter)


class Echo:
    """Every arity; fails with a defect on the word `defect`."""

    @staticmethod
    def _said(request: StringValue) -> StringValue:
        if request.value == "defect":
            raise ValueError("the secret detail")
        return StringValue(value=f"{caller().peer}: {request.value}")

    async def unary_unary(self, request: StringValue, context: Any) -> StringValue:
        return self._said(request)

    async def unary_stream(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield StringValue(value="first")
        yield self._said(request)

    async def stream_unary(self, requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        return [self._said(request) async for request in requests][-1]

    async def stream_stream(self, requests: AsyncIterator[StringValue], context: Any) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield self._said(request)


def _register(server: grpc.aio.Server) -> None:
    quota_pb2_grpc.add_QuotaServiceServicer_to_server(Quota(), server)  # type: ignore[abstract]
    echo = Echo()
    handlers = {
        arity: getattr(grpc, f"{arity}_rpc_method_handler")(
            getattr(echo, arity),
            request_deserializer=StringValue.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        for arity in ARITIES
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO, handlers),))


@pytest.fixture
async def dial(certificates: Path) -> AsyncIterator[Dial]:
    async with served(certificates, "quota", _register, SERVICE) as dial:
        yield dial


async def _get(dial: Dial, user: str | None, peer: str = "edge", **call: Any) -> quota_pb2.Quota:
    metadata = (("x-user-id", user), ("x-user-role", "operator"), ("x-request-id", "r1")) if user else ()
    stub = quota_pb2_grpc.QuotaServiceStub(dial(peer))
    return await stub.GetQuota(quota_pb2.GetQuotaRequest(name="users/me/quota"), metadata=metadata, **call)


async def _failure(awaitable: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return caught.value


async def test_the_edge_speaks_for_a_person(dial: Dial) -> None:
    assert (await _get(dial, "alice")).name == "edge alice operator r1"


async def test_a_sibling_cannot_speak_for_a_person(dial: Dial) -> None:
    assert (await _get(dial, "alice", peer="chat")).name == "chat None user r1"
    error = await _failure(_get(dial, "alice", peer="search"))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("user", [None, "with space", "x" * 129, "a/b"])
async def test_nobody_and_nonsense_are_not_people(dial: Dial, user: str | None) -> None:
    error = await _failure(_get(dial, user))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_an_internal_method_is_for_its_declared_callers(dial: Dial) -> None:
    request = quota_pb2.ReserveRequest(
        parent="users/a",
        request_id="00000000-0000-4000-8000-000000000000",
        amounts=[quota_pb2.Amount(meter="chat", amount=1)],
        time_to_live={"seconds": 60},
    )
    assert await quota_pb2_grpc.QuotaServiceStub(dial("chat")).Reserve(request) == quota_pb2.ReserveResponse()
    for peer in ("edge", "search"):
        error = await _failure(quota_pb2_grpc.QuotaServiceStub(dial(peer)).Reserve(request))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_the_edge_calls_for_itself_what_names_it_and_nobody_calls_that_through_it(dial: Dial) -> None:
    request = quota_pb2.CheckAdmissionRequest(parent="users/a", meter="chat", amount=1)
    stub = quota_pb2_grpc.QuotaServiceStub(dial("edge"))
    assert await stub.CheckAdmission(request) == quota_pb2.Decision(meter="chat")
    error = await _failure(stub.CheckAdmission(request, metadata=(("x-user-id", "alice"), ("x-user-role", "operator"))))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("user", ["defect", "nothing"])
async def test_a_defect_tells_the_request_id_and_no_detail(dial: Dial, user: str) -> None:
    error = await _failure(_get(dial, user))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "Something broke on our side. Tell us this request id: r1"


async def test_an_error_keeps_its_reason_on_the_wire(dial: Dial) -> None:
    error = await _failure(_get(dial, "missing"))
    assert (error.code(), error_info(error).reason) == (grpc.StatusCode.NOT_FOUND, "QUOTA_NOT_FOUND")


async def test_a_call_ends_at_the_callers_deadline(dial: Dial) -> None:
    error = await _failure(_get(dial, "slow", timeout=0.2))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_without_a_deadline_ends_at_the_policys(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DEADLINE, "_policy_seconds", policy_seconds)
    error = await _failure(_get(dial, "slow"))
    assert (error.code(), error_info(error).reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_a_request_that_breaks_a_rule_never_meets_its_handler(dial: Dial) -> None:
    stub = quota_pb2_grpc.QuotaServiceStub(dial("edge"))
    request = quota_pb2.GetQuotaRequest(name="nonsense")
    error = await _failure(stub.GetQuota(request, metadata=(("x-user-id", "defect"),)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("arity", ARITIES)
async def test_every_arity_passes_the_same_interceptors(dial: Dial, arity: str) -> None:
    assert await _echo(dial, arity, "hello") == "edge: hello"
    error = await _failure(_echo(dial, arity, "defect"))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(error.details())


async def _echo(dial: Dial, arity: str, word: str) -> str:
    async def requests() -> AsyncIterator[StringValue]:
        yield StringValue(value=word)

    call = getattr(dial("edge"), arity)(
        f"/{ECHO}/{arity}",
        request_serializer=StringValue.SerializeToString,
        response_deserializer=StringValue.FromString,
    )(requests() if arity.startswith("stream") else StringValue(value=word))
    if arity.endswith("unary"):
        return str((await call).value)
    return str([answer.value async for answer in call][-1])


async def test_a_caller_without_a_certificate_is_refused(dial: Dial, certificates: Path) -> None:
    async def anonymous(credentials: grpc.ChannelCredentials | None) -> None:
        channel = (
            grpc.aio.secure_channel(dial.target, credentials) if credentials else grpc.aio.insecure_channel(dial.target)
        )
        async with channel:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)

    authority = (certificates / "quota" / "ca.pem").read_bytes()
    for credentials in (grpc.ssl_channel_credentials(authority), None):
        error = await _failure(anonymous(credentials))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
