"""Reconcile as an operator meets it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import grpc
import pytest

from runtime.status import error_info
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.servicer.reconcile import ReconcileRpcs
from tests.harness.serving import Dial, served
from tests.service.billing_svc.reconciling.auditor import ScriptedAuditor
from tests.service.billing_svc.shop import agreed

OPERATOR = (("x-user-id", "root"), ("x-user-role", "operator"))
PERSON = (("x-user-id", "ann"),)
SERVICE = "scenemesh.billing.v1.BillingService"
WAIT_SECONDS_MAX = 90.0

Call = grpc.aio.UnaryStreamCall[billing_pb2.ReconcileRequest, billing_pb2.ReconcileEvent]


class OnlyReconcile(ReconcileRpcs):
    """A BillingService that does nothing else."""

    def __init__(self, reconciling: Reconciling) -> None:
        self._reconciling = reconciling


@pytest.fixture
async def dial(certificates: Path, reconciling: Reconciling) -> AsyncIterator[Dial]:
    servicer = OnlyReconcile(reconciling)  # type: ignore[abstract] # it is asked for nothing else
    register = partial(billing_pb2_grpc.add_BillingServiceServicer_to_server, servicer)
    async with served(certificates, "billing", register, SERVICE) as dial:
        yield dial


def reconcile(dial: Dial, metadata: tuple[tuple[str, str], ...] = OPERATOR, **fields: object) -> "Call":
    request = billing_pb2.ReconcileRequest(**fields)  # type: ignore[arg-type]
    call: Call = BillingServiceStub(dial("edge")).Reconcile(request, metadata=metadata)
    return call


async def events(call: "Call") -> list[billing_pb2.ReconcileEvent]:
    """All but the progress."""
    return [event async for event in call if event.WhichOneof("event") != "progress"]


async def test_an_operator_is_told_every_drift_and_then_the_end(dial: Dial, auditor: ScriptedAuditor) -> None:
    auditor.agreed = [agreed()]
    drift = billing_pb2.Drift(
        kind=billing_pb2.DRIFT_KIND_AGREEMENT_UNKNOWN,
        user="users/ann",
        id="sub_ann",
        ours="nothing",
        theirs="pro, active until 2026-12-21T12:00:00+00:00",
    )
    assert await events(reconcile(dial, validate_only=True, user="users/ann")) == [
        billing_pb2.ReconcileEvent(drift=drift),
        billing_pb2.ReconcileEvent(finished=billing_pb2.ReconcileFinished(compared=1, drifts=1)),
    ]
    drift.repaired = True
    assert await events(reconcile(dial)) == [
        billing_pb2.ReconcileEvent(drift=drift),
        billing_pb2.ReconcileEvent(finished=billing_pb2.ReconcileFinished(compared=2, drifts=1, repaired=1)),
    ]


async def test_nobody_but_an_operator_may(dial: Dial) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await events(reconcile(dial, PERSON))
    assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_long_one_gives_signs_of_life_and_a_second_one_is_refused_meanwhile(
    dial: Dial, auditor: ScriptedAuditor
) -> None:
    auditor.agreed, auditor.gate = [agreed()], asyncio.Event()
    call = aiter(reconcile(dial))
    for _ in range(3):
        assert (await anext(call)).progress == billing_pb2.ReconcileProgress(compared=0)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await events(reconcile(dial))
    assert (refusal.value.code(), error_info(refusal.value).reason) == (
        grpc.StatusCode.ABORTED,
        "RECONCILIATION_RUNNING",
    )
    auditor.gate.set()
    assert [event async for event in call][-1].finished.compared == 2


async def test_a_caller_who_goes_ends_it(dial: Dial, auditor: ScriptedAuditor) -> None:
    auditor.agreed, auditor.gate = [agreed()], asyncio.Event()
    call = reconcile(dial)
    await call.read()
    call.cancel()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not auditor.closed:
            await asyncio.sleep(0.01)
    auditor.gate.set()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            try:
                last = (await events(reconcile(dial)))[-1]
            except grpc.aio.AioRpcError as error:
                # The first one is being taken down.
                assert error.code() is grpc.StatusCode.ABORTED
            else:
                assert last.finished.compared == 2
                return


async def test_a_provider_that_is_away_is_the_last_event(dial: Dial, auditor: ScriptedAuditor) -> None:
    auditor.agreed, auditor.answers_max = [agreed()], 0
    failed = billing_pb2.ReconcileFailed(reason="PROVIDER_UNAVAILABLE", message="The provider cannot be reached.")
    assert await events(reconcile(dial)) == [billing_pb2.ReconcileEvent(failed=failed)]
