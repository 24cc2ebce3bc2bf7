"""Holds, entries, quotas and plans as the contract says them."""

import re
from uuid import UUID

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.billing.v1 import billing_pb2
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.domain.entry import Entry, EntryKind, GrantOrder, Usage
from services.quota_svc.domain.hold import Hold, HoldState, ReserveOrder
from services.quota_svc.domain.meter import Meter
from services.quota_svc.domain.plan import FREE, Allowance, Period, Plan, PlanTable

PAGE_SIZE_DEFAULT = 50
# Fewer digits than the largest bigint has, and more than any ledger needs.
NUMBER_PATTERN = re.compile(r"[1-9][0-9]{0,17}")

STATES = {
    HoldState.HELD: quota_pb2.HOLD_STATE_HELD,
    HoldState.SETTLED: quota_pb2.HOLD_STATE_SETTLED,
    HoldState.RELEASED: quota_pb2.HOLD_STATE_RELEASED,
    HoldState.EXPIRED: quota_pb2.HOLD_STATE_EXPIRED,
}
KINDS = {
    EntryKind.ALLOWANCE_CHARGE: quota_pb2.ENTRY_KIND_ALLOWANCE_CHARGE,
    EntryKind.GRANT_CHARGE: quota_pb2.ENTRY_KIND_GRANT_CHARGE,
    EntryKind.GRANT: quota_pb2.ENTRY_KIND_GRANT,
}
PERIODS = {billing_pb2.PERIOD_DAY: Period.DAY, billing_pb2.PERIOD_MONTH: Period.MONTH}


def user_from_name(name: str) -> str:
    """The user in `users/{user}` and in everything below it."""
    return name.split("/")[1]


def hold_id_from_name(name: str) -> UUID:
    """The id in `users/{user}/holds/{uuid}`."""
    return UUID(name.split("/")[3])


def reserve_order_from_proto(request: quota_pb2.ReserveRequest) -> ReserveOrder:
    return ReserveOrder(
        user=user_from_name(request.parent),
        request_id=UUID(request.request_id),
        meter=request.meter,
        amount=request.amount,
        time_to_live=request.time_to_live.ToTimedelta(),
    )


def grant_order_from_proto(request: quota_pb2.GrantRequest) -> GrantOrder:
    return GrantOrder(user_from_name(request.parent), UUID(request.request_id), request.meter, request.amount)


def usage_from_proto(request: quota_pb2.SettleRequest) -> Usage | None:
    if not request.HasField("usage"):
        return None
    usage = request.usage
    return Usage(usage.resource, usage.model, usage.input_tokens, usage.output_tokens)


def page_size_from_proto(request: quota_pb2.ListEntriesRequest) -> int:
    return request.page_size or PAGE_SIZE_DEFAULT


def before_from_proto(user: str, request: quota_pb2.ListEntriesRequest) -> int | None:
    """The number that the page goes on below; None for the first page."""
    position = pages.position(_entries_scope(user), request.page_token, 1)
    if position is None:
        return None
    if not NUMBER_PATTERN.fullmatch(position[0]):
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    return int(position[0])


def entries_to_proto(user: str, entries: list[Entry], page_size: int) -> quota_pb2.ListEntriesResponse:
    """One page of `entries`, which hold one more than the page when there is a next one."""
    page = entries[:page_size]
    more = len(entries) > page_size
    return quota_pb2.ListEntriesResponse(
        entries=[entry_to_proto(entry) for entry in page],
        next_page_token=pages.token(_entries_scope(user), [str(page[-1].number)]) if more else "",
    )


def entry_to_proto(entry: Entry) -> quota_pb2.Entry:
    movement = entry.movement
    return quota_pb2.Entry(
        name=f"users/{movement.user}/entries/{entry.number}",
        meter=movement.meter,
        amount=movement.amount,
        kind=KINDS[movement.kind],
        hold=_hold_name(movement.user, movement.hold) if movement.hold is not None else "",
        usage=_usage(movement.usage) if movement.usage is not None else None,
        create_time=movement.create_time,
    )


def hold_to_proto(hold: Hold) -> quota_pb2.Hold:
    return quota_pb2.Hold(
        name=_hold_name(hold.order.user, hold.id),
        meter=hold.order.meter,
        amount=hold.order.amount,
        settled_amount=hold.settled_amount,
        state=STATES[hold.state],
        create_time=hold.create_time,
        expire_time=hold.expire_time,
    )


def reserved_to_proto(hold: Hold, plan: Plan) -> quota_pb2.ReserveResponse:
    entitlement = quota_pb2.Entitlement(plan=plan.name, context_tokens=plan.context_tokens)
    return quota_pb2.ReserveResponse(hold=hold_to_proto(hold), entitlement=entitlement)


def quota_to_proto(user: str, plan: Plan, meters: list[Meter]) -> quota_pb2.Quota:
    return quota_pb2.Quota(name=f"users/{user}/quota", plan=plan.name, meters=[_meter(meter) for meter in meters])


def plan_table_from_proto(answer: billing_pb2.ListPlansResponse) -> PlanTable:
    """The plans on offer; ValueError when they are none that this process can reckon with."""
    return PlanTable(_plan(plan) for plan in answer.plans)


def plan_in_force(subscription: billing_pb2.Subscription) -> str:
    """The plan that a subscription gives the use of: a paused one gives what the free plan gives."""
    return FREE if subscription.state == billing_pb2.SUBSCRIPTION_STATE_PAUSED else subscription.plan


def _plan(plan: billing_pb2.Plan) -> Plan:
    allowances = {one.meter: _allowance(plan, one) for one in plan.allowances}
    return Plan(plan.name, plan.display_name, allowances, plan.context_tokens)


def _allowance(plan: billing_pb2.Plan, allowance: billing_pb2.Allowance) -> Allowance:
    if allowance.period not in PERIODS:
        raise ValueError(f"{plan.name} gives {allowance.meter} in a period that is unknown here: {allowance.period}")
    amount = None if allowance.unlimited else allowance.amount
    return Allowance(allowance.meter, amount, PERIODS[allowance.period])


def _meter(meter: Meter) -> quota_pb2.MeterQuota:
    return quota_pb2.MeterQuota(
        meter=meter.name,
        unlimited=meter.unlimited,
        limit=meter.limit,
        granted=meter.figures.granted,
        used=meter.figures.used,
        held=meter.held,
        remaining=meter.remaining,
        reset_time=meter.reset_time,
    )


def _usage(usage: Usage) -> quota_pb2.Usage:
    return quota_pb2.Usage(
        resource=usage.resource,
        model=usage.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _hold_name(user: str, hold_id: UUID) -> str:
    return f"users/{user}/holds/{hold_id}"


def _entries_scope(user: str) -> str:
    return f"users/{user}/entries"
