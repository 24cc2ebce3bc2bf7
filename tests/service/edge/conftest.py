"""The edge process's servicer behind the real server, and a quota_svc that was faked at the wire."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.service.auth.v3 import external_auth_pb2_grpc as auth_grpc

from edge.admission import SERVICE, Admission
from runtime.context import caller
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.harness.serving import Dial, served

QUOTA = "scenemesh.quota.v1.QuotaService"


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """`rich` has credit, `spent` has none; nobody else is answered."""

    async def GetQuota(self, request: Any, context: Any) -> quota_pb2.Quota:
        person = caller().person()
        if person not in ("rich", "spent"):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        meter = quota_pb2.MeterQuota(meter="chat", limit=5, used=5 if person == "spent" else 4)
        meter.remaining = meter.limit - meter.used
        return quota_pb2.Quota(name=f"users/{person}/quota", plan="plans/free", meters=[meter])


@pytest.fixture(scope="session")
async def admission(certificates: Path) -> AsyncIterator[Dial]:
    register_quota = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, Quota())  # type: ignore[abstract]
    async with served(certificates, "quota", register_quota, QUOTA) as to_quota:
        servicer = Admission(quota_pb2_grpc.QuotaServiceStub(to_quota("edge")))
        register = partial(auth_grpc.add_AuthorizationServicer_to_server, servicer)
        async with served(certificates, "edge", register, SERVICE) as dial:
            yield dial
