"""The reconciliation that runs by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from services.billing_svc.reconciling.hourly import Hourly
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store.audit import Audit
from tests.service.billing_svc.reconciling.auditor import ScriptedAuditor
from tests.service.billing_svc.shop import agreed

WAIT_SECONDS_MAX = 90.0


def hourly(reconciling: Reconciling, audit: Audit, every_seconds: float = 0.05) -> Hourly:
    return Hourly(reconciling, audit, every_seconds=every_seconds, first_seconds=0.01, turn_seconds=0.02)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not holds():
            await asyncio.sleep(0.01)


async def test_it_runs_again_and_again(reconciling: Reconciling, audit: Audit, auditor: ScriptedAuditor) -> None:
    async with running(hourly(reconciling, audit).run()):
        await until(lambda: auditor.closed >= 3)


async def test_one_of_two_replicas_does_it_and_the_other_one_takes_over(
    reconciling: Reconciling, audit: Audit, auditor: ScriptedAuditor
) -> None:
    first, second = hourly(reconciling, audit, 3600), hourly(reconciling, audit, 3600)
    async with running(first.run()):
        await until(lambda: auditor.closed == 1)
        async with running(second.run()):
            for _ in range(10):
                await asyncio.sleep(0.02)
            assert auditor.closed == 1
            async with audit.alone("reconciling hourly") as still:
                assert still is None
    async with running(second.run()):
        await until(lambda: auditor.closed == 2)


async def test_what_it_finds_is_in_the_log_and_a_provider_that_is_away_does_not_end_it(
    reconciling: Reconciling, audit: Audit, auditor: ScriptedAuditor
) -> None:
    auditor.agreed, auditor.answers_max = [agreed()], 0
    job = hourly(reconciling, audit)
    with capture_logs() as lines:
        await job.reconcile()
        auditor.answers_max = 100
        await job.reconcile()
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("reconciliation failed", "warning"),
        ("drift", "warning"),
        ("reconciled", "info"),
    ]


async def test_an_operator_who_reconciles_just_now_puts_it_off(
    reconciling: Reconciling, audit: Audit, auditor: ScriptedAuditor
) -> None:
    async with audit.alone("reconciling"):
        with capture_logs() as lines:
            await hourly(reconciling, audit).reconcile()
    assert lines == [{"event": "not reconciled", "log_level": "warning", "reason": "RECONCILIATION_RUNNING"}]
    assert auditor.closed == 0
