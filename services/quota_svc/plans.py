"""What billing_svc says: the plans on offer, kept fresh in the background."""

from __future__ import annotations

import asyncio

import grpc
import structlog

from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.meter import MeterTable
from services.quota_svc.domain.plan import Allowance, Plan, PlanTable, Tariff

log = structlog.get_logger()

PERIODS = {
    billing_pb2.PERIOD_DAY: Period.DAY,
    billing_pb2.PERIOD_MONTH: Period.MONTH,
    billing_pb2.PERIOD_ROLLING: Period.ROLLING,
}

REFRESH_SECONDS = 60.0
RETRY_SECONDS = 0.5
LIST_SECONDS = 2.0


class Plans:
    """The plan table, as billing last told it: a failed refresh leaves the last good one standing."""

    def __init__(self, channel: grpc.aio.Channel, meters: MeterTable, table: PlanTable, *, shadow: bool) -> None:
        self._billing = billing_pb2_grpc.BillingServiceStub(channel)
        self._meters = meters
        self._shadow = shadow
        self._tariff = Tariff(table, meters, shadow)

    def tariff(self) -> Tariff:
        """What decisions go by now."""
        return self._tariff

    @classmethod
    async def first(
        cls,
        channel: grpc.aio.Channel,
        meters: MeterTable,
        *,
        shadow: bool = False,
        retry_seconds: float = RETRY_SECONDS,
    ) -> Plans:
        """The plans, as soon as billing tells them: it is asked again and again until it does."""
        billing = billing_pb2_grpc.BillingServiceStub(channel)
        while True:
            table = await _told(billing, meters)
            if table is not None:
                return cls(channel, meters, table, shadow=shadow)
            await asyncio.sleep(retry_seconds)

    async def refreshing(self, every_seconds: float = REFRESH_SECONDS) -> None:
        """Keeps the table fresh until it is cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                table = await _told(self._billing, self._meters)
                if table is not None:
                    self._tariff = Tariff(table, self._meters, self._shadow)
            except Exception:
                # Out of here it would end the process.
                log.exception("defect in refreshing the plans")


async def _told(billing: billing_pb2_grpc.BillingServiceAsyncStub, meters: MeterTable) -> PlanTable | None:
    """The plan table from billing; None, and a line in the log, when there is no answer or none that can be used."""
    try:
        answer = await billing.ListPlans(billing_pb2.ListPlansRequest(), timeout=LIST_SECONDS, wait_for_ready=True)
        return plan_table_from_proto(answer, meters)
    except grpc.aio.AioRpcError as error:
        log.warning("plans not refreshed", code=error.code().name, error=error.details())
    except ValueError as error:
        log.warning("plans not refreshed", error=str(error))
    return None


def plan_table_from_proto(answer: billing_pb2.ListPlansResponse, meters: MeterTable) -> PlanTable:
    """The plans on offer; ValueError when they are none that this process can reckon with."""
    return PlanTable(_plan(plan, meters) for plan in answer.plans)


def _plan(plan: billing_pb2.Plan, meters: MeterTable) -> Plan:
    allowances = {one.meter: _allowance(plan, one, meters) for one in plan.allowances}
    return Plan(plan.name, plan.display_name, allowances, plan.context_tokens)


def _allowance(plan: billing_pb2.Plan, allowance: billing_pb2.Allowance, meters: MeterTable) -> Allowance:
    if allowance.meter not in meters:
        raise ValueError(f"{plan.name} gives something on a meter that is unknown here: {allowance.meter}")
    if allowance.period not in PERIODS:
        raise ValueError(f"{plan.name} gives {allowance.meter} in a period that is unknown here: {allowance.period}")
    period = PERIODS[allowance.period]
    return Allowance(
        meter=allowance.meter,
        amount=None if allowance.unlimited else allowance.amount,
        period=period,
        window=allowance.window.ToTimedelta() if period is Period.ROLLING else None,
        rollover=allowance.rollover,
        shadow=allowance.shadow,
    )
