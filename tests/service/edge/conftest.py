"""The edge process's servicer behind the real server, and a quota_svc that was faked at the wire."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from envoy.service.auth.v3 import external_auth_pb2_grpc as auth_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from edge.admission import SERVICE, Admission
from runtime.context import caller
from runtime.errors import Unavailable
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.harness.serving import Dial, served

QUOTA = "scenemesh.quota.v1.QuotaService"
REFUSED = quota_pb2.Decision(
    meter="chat",
    limit=5,
    used=5,
    reset_time=Timestamp(seconds=1_795_305_600),
    local_reset_time="2026-11-22T01:00:00+01:00",
    outcome=quota_pb2.OUTCOME_REFUSED,
    reason=quota_pb2.REASON_LIMIT_REACHED,
    amount=1,
    soft_limit_reached=True,
    plan="plans/free",
    unlocks=[quota_pb2.Unlock(plan="plans/creator", display_name="Créateur", amount=100, period="day")],
    message="All 5 turns of today are used. The Créateur plan has 100 a day.",
)


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """`rich` has credit, `spent` has none, `watched` has none but is let through; nobody else is answered."""

    async def CheckAdmission(self, request: quota_pb2.CheckAdmissionRequest, context: Any) -> quota_pb2.Decision:
        assert (caller().peer, caller().user, request.meter, request.amount) == ("edge", None, "chat", 1)
        match request.parent:
            case "users/rich":
                return quota_pb2.Decision(meter="chat", outcome=quota_pb2.OUTCOME_ADMITTED)
            case "users/spent":
                return REFUSED
            case "users/watched":
                return quota_pb2.Decision(meter="chat", outcome=quota_pb2.OUTCOME_REFUSED, shadow=True)
        raise Unavailable("Down.", reason="DATABASE_UNAVAILABLE")


@pytest.fixture(scope="session")
async def admission(certificates: Path) -> AsyncIterator[Dial]:
    register_quota = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, Quota())  # type: ignore[abstract]
    async with served(certificates, "quota", register_quota, QUOTA) as to_quota:
        servicer = Admission(quota_pb2_grpc.QuotaServiceStub(to_quota("edge")))
        register = partial(auth_grpc.add_AuthorizationServicer_to_server, servicer)
        async with served(certificates, "edge", register, SERVICE) as dial:
            yield dial
