"""Admission: Envoy asks before every call whose RPC names a meter."""

from typing import Any

import grpc
import structlog
from envoy.service.auth.v3 import external_auth_pb2 as auth
from envoy.service.auth.v3 import external_auth_pb2_grpc as auth_grpc

from edge import convert
from edge.denial import denial, protocol
from runtime.context import request_id
from runtime.errors import MeshError, Unauthenticated, Unavailable
from runtime.interceptors.identity import USER_HEADER, USER_PATTERN
from runtime.status import to_proto
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc

log = structlog.get_logger()

SERVICE = "envoy.service.auth.v3.Authorization"


class Admission(auth_grpc.AuthorizationServicer):  # type: ignore[misc] # the package has no types
    """Answers from the ledger, so nobody is admitted on what a cache remembers."""

    def __init__(self, quota: "quota_pb2_grpc.QuotaServiceAsyncStub") -> None:
        self._quota = quota

    async def Check(
        self, request: auth.CheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> auth.CheckResponse:
        headers = request.attributes.request.http.headers
        try:
            await self._admit(headers.get(USER_HEADER, ""), request.attributes.context_extensions["meter"])
        except MeshError as error:
            # A refusal is an answer to Envoy, not a failure of the call that asked.
            log.info("refused", reason=error.reason, rpc=request.attributes.context_extensions["rpc"])
            return denial(to_proto(error, request_id()), protocol(headers))
        return auth.CheckResponse(ok_response=auth.OkHttpResponse())

    async def _admit(self, user: str, meter: str) -> None:
        if not user:
            raise Unauthenticated("Sign in first: this needs a token with a subject.", reason="NO_SUBJECT")
        if not USER_PATTERN.fullmatch(user):
            raise Unauthenticated("The token's subject is not one that we accept.", reason="BAD_SUBJECT")
        decision = await self._ask(user, meter)
        if decision.outcome != quota_pb2.OUTCOME_ADMITTED and not decision.shadow:
            raise convert.refusal(user, decision)

    async def _ask(self, user: str, meter: str) -> quota_pb2.Decision:
        """How one more unit of the user's would be decided on."""
        request = quota_pb2.CheckAdmissionRequest(parent=f"users/{user}", meter=meter, amount=1)
        try:
            return await self._quota.CheckAdmission(request)
        except grpc.aio.AioRpcError as error:
            log.warning("quota_svc did not answer", code=error.code().name, details=error.details())
            raise Unavailable("Credit cannot be checked just now. Try again.", reason="QUOTA_UNAVAILABLE") from error
