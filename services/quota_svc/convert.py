"""Requests as orders, and what the ledger knows as messages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import InvalidArgument, MeshError, NotFound, QuotaExhausted, Violation
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.batch import Stopped
from services.quota_svc.domain.credit import GRANT_PRIORITY, Credit, Source
from services.quota_svc.domain.decision import Decision, Figures, Reason
from services.quota_svc.domain.entry import Book, Entry, EntryFilter, EntryKind, Usage
from services.quota_svc.domain.granting import AdjustOrder, GrantOrder
from services.quota_svc.domain.hold import Hold, HoldState, Mode, Overage, ReserveOrder
from services.quota_svc.domain.plan import Plan
from services.quota_svc.domain.planning import PlanOrder
from services.quota_svc.domain.record import Adjustment, AdjustmentReason, PlanChange
from services.quota_svc.domain.reserving import ExtendOrder, Refused, Reserved
from services.quota_svc.domain.resolving import SettleOrder
from services.quota_svc.watching import Failed, Finished

# The contract's names of enum values are the domain's with a prefix.
STATES = {state: f"HOLD_STATE_{state.name}" for state in HoldState}
SOURCES = {source: f"SOURCE_{source.name}" for source in Source}
BOOKS = {book: f"ACCOUNT_{book.name}" for book in Book}
KINDS = {kind: f"ENTRY_KIND_{kind.name}" for kind in EntryKind}
REASONS = {reason: f"REASON_{reason.name}" for reason in Reason}
CAUSES = {cause: f"ADJUSTMENT_REASON_{cause.name}" for cause in AdjustmentReason}

STATE_OF = {quota_pb2.HoldState.Value(name): state for state, name in STATES.items()}
SOURCE_OF = {quota_pb2.Source.Value(name): source for source, name in SOURCES.items()}
NANOS_A_SECOND = 1_000_000_000
# Beyond these years lie instants that a calendar or the database cannot reckon with.
FIRST_SECONDS = int(datetime(1970, 1, 1, tzinfo=UTC).timestamp())
LAST_SECONDS = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp()) - 1

CAUSE_OF = {quota_pb2.AdjustmentReason.Value(name): cause for cause, name in CAUSES.items()}


def user_from_name(name: str) -> str:
    """The user in `users/{user}` and in everything below it."""
    return name.split("/")[1]


def id_from_name(name: str) -> UUID:
    """The id in `users/{user}/holds/{uuid}` and its like."""
    return UUID(name.split("/")[3])


def reserve_order_from_proto(request: quota_pb2.ReserveRequest) -> ReserveOrder:
    available = request.overage == quota_pb2.OVERAGE_AVAILABLE
    return ReserveOrder(
        user=user_from_name(request.parent),
        id=UUID(request.request_id),
        amounts=_amounts(request.amounts, least=1),
        time_to_live=request.time_to_live.ToTimedelta(),
        mode=_mode(request.mode),
        overage=Overage.AVAILABLE if available else Overage.REFUSED,
    )


def reserve_orders_from_proto(request: quota_pb2.BatchReserveRequest) -> list[ReserveOrder]:
    return [reserve_order_from_proto(one) for one in request.requests]


def settle_orders_from_proto(request: quota_pb2.BatchSettleRequest) -> list[SettleOrder]:
    return [settle_order_from_proto(one) for one in request.requests]


def extend_order_from_proto(request: quota_pb2.ExtendHoldRequest) -> ExtendOrder:
    return ExtendOrder(
        user=user_from_name(request.name),
        hold=id_from_name(request.name),
        amounts=_amounts(request.amounts, least=1),
        time_to_live=request.time_to_live.ToTimedelta() if request.HasField("time_to_live") else None,
        mode=_mode(request.mode),
    )


def settle_order_from_proto(request: quota_pb2.SettleRequest) -> SettleOrder:
    amounts = _amounts(request.amounts, least=0)
    if not any(amounts.values()):
        raise fault("amounts", "must charge at least one unit; Release gives a hold back without a charge")
    return SettleOrder(user_from_name(request.name), id_from_name(request.name), amounts, _usage_from_proto(request))


def grant_order_from_proto(request: quota_pb2.GrantRequest) -> GrantOrder:
    expire = _moment(request, "expire_time")
    if request.rollover and expire is None:
        raise fault("rollover", "needs an expire_time: credit without an end has nothing to roll over")
    return GrantOrder(
        user=user_from_name(request.parent),
        id=UUID(request.request_id),
        meter=request.meter,
        amount=request.amount,
        source=SOURCE_OF[request.source],
        priority=request.priority or GRANT_PRIORITY,
        start=_moment(request, "start_time"),
        expire=expire,
        rollover=request.rollover,
    )


def adjust_order_from_proto(request: quota_pb2.AdjustRequest) -> AdjustOrder:
    user = user_from_name(request.parent)
    if request.credit and user_from_name(request.credit) != user:
        raise NotFound("There is no such credit of this user.", reason="CREDIT_NOT_FOUND")
    return AdjustOrder(
        user=user,
        id=UUID(request.request_id),
        meter=request.meter,
        amount=request.amount,
        reason=CAUSE_OF[request.reason],
        credit=id_from_name(request.credit) if request.credit else None,
    )


def plan_order_from_proto(request: quota_pb2.SetPlanRequest) -> PlanOrder:
    return PlanOrder(
        user=user_from_name(request.parent),
        id=UUID(request.request_id),
        plan=request.plan,
        reset=request.usage == quota_pb2.USAGE_RULE_RESET,
        anchor=_moment(request, "anchor_time"),
    )


def time_zone_from_proto(request: quota_pb2.UpdateQuotaRequest) -> str:
    others = sorted(set(request.update_mask.paths) - {"time_zone"})
    if others:
        raise fault("update_mask", f"may name time_zone alone, not {', '.join(others)}")
    return request.quota.time_zone


def entry_filter_from_proto(request: quota_pb2.ListEntriesRequest) -> EntryFilter:
    return EntryFilter(
        meter=request.meter or None,
        source=SOURCE_OF.get(request.source),
        start=_moment(request, "start_time"),
        end=_moment(request, "end_time"),
    )


def state_from_proto(request: quota_pb2.ListHoldsRequest) -> HoldState | None:
    return STATE_OF.get(request.state)


def read_time_from_proto(request: quota_pb2.GetQuotaRequest, now: datetime) -> datetime | None:
    moment = _moment(request, "read_time")
    if moment is not None and moment > now:
        raise fault("read_time", "lies in the future")
    return moment


def quota_to_proto(account: Account, plan: Plan, decisions: Iterable[Decision]) -> quota_pb2.Quota:
    return quota_pb2.Quota(
        name=f"users/{account.user}/quota",
        plan=plan.name,
        meters=[decision_to_proto(decision) for decision in decisions],
        time_zone=account.calendar.zone,
        entitlement=_entitlement(plan),
    )


def _entitlement(plan: Plan) -> quota_pb2.Entitlement:
    return quota_pb2.Entitlement(plan=plan.name, context_tokens=plan.context_tokens)


def watched_to_proto(found: quota_pb2.Quota | Finished | Failed) -> quota_pb2.QuotaEvent:
    match found:
        case Finished():
            return quota_pb2.QuotaEvent(finished=quota_pb2.Finished())
        case Failed(error):
            failed = quota_pb2.Failed(reason=error.reason, message=error.message)
            return quota_pb2.QuotaEvent(failed=failed)
        case quota:
            return quota_pb2.QuotaEvent(quota=quota)


def decision_to_proto(decision: Decision) -> quota_pb2.Decision:
    figures = decision.figures
    return quota_pb2.Decision(
        meter=decision.meter.name,
        unlimited=figures.limit is None,
        limit=figures.limit or 0,
        granted=figures.granted,
        used=figures.used,
        held=figures.held,
        remaining=figures.remaining,
        reset_time=figures.reset,
        local_reset_time=decision.local_reset,
        outcome=quota_pb2.OUTCOME_ADMITTED if decision.admitted else quota_pb2.OUTCOME_REFUSED,
        reason=REASONS[decision.reason],
        amount=decision.amount,
        soft_limit_reached=decision.soft_limit_reached,
        shadow=decision.shadow,
        plan=decision.plan.name,
        unlocks=[_unlock(plan, decision.meter.name) for plan in decision.unlocks],
        message=decision.message,
    )


def reserved_to_proto(user: str, outcome: Reserved | Refused) -> quota_pb2.ReserveResponse:
    """The answer to Reserve; QuotaExhausted when it was refused."""
    if isinstance(outcome, Refused):
        raise exhausted(user, outcome.decision)
    plan = outcome.decisions[0].plan
    return quota_pb2.ReserveResponse(
        hold=hold_to_proto(user, outcome.hold),
        entitlement=_entitlement(plan),
        decisions=[decision_to_proto(decision) for decision in outcome.decisions],
    )


def exhausted(user: str, decision: Decision) -> QuotaExhausted:
    """The error that a refusal is, with the decision in it."""
    figures = decision.figures
    metadata = {
        "meter": decision.meter.name,
        "limit": str(figures.limit),
        "used": str(figures.used),
        "held": str(figures.held),
        "plan": decision.plan.name,
    }
    if figures.reset is not None:
        metadata["reset_time"] = f"{figures.reset:%Y-%m-%dT%H:%M:%SZ}"
    subject = f"users/{user}/meters/{decision.meter.name}"
    details = [decision_to_proto(decision)]
    return QuotaExhausted(decision.message, subject=subject, metadata=metadata, details=details)


def settled_to_proto(user: str, hold: Hold, left: Mapping[str, Figures]) -> quota_pb2.Hold:
    """A hold that was settled, with how its meters stand now."""
    settled = hold_to_proto(user, hold)
    for line in settled.lines:
        if left[line.meter].limit is not None:
            line.remaining_amount = left[line.meter].remaining
    return settled


def hold_to_proto(user: str, hold: Hold) -> quota_pb2.Hold:
    return quota_pb2.Hold(
        name=f"users/{user}/holds/{hold.id}",
        lines=[
            quota_pb2.HoldLine(
                meter=line.meter,
                amount=line.amount,
                settled_amount=line.settled,
                uncovered_amount=line.uncovered,
            )
            for line in hold.lines
        ],
        state=STATES[hold.state],
        create_time=hold.created,
        expire_time=hold.expire,
        resolve_time=hold.resolved,
        voided_by=f"users/{hold.voided_by}" if hold.voided_by is not None else "",
        void_reason=hold.void_reason or "",
    )


def results_to_proto(
    users: Sequence[str], outcomes: Sequence[Hold | Reserved | Refused | MeshError] | Stopped
) -> list[quota_pb2.HoldResult]:
    """A result for every item of a batch; the error of the call when the batch stopped."""
    if isinstance(outcomes, Stopped):
        failure = outcomes.failure
        error = exhausted(users[outcomes.index], failure.decision) if isinstance(failure, Refused) else failure
        error.metadata["index"] = str(outcomes.index)
        raise error
    return [_result(user, outcome) for user, outcome in zip(users, outcomes, strict=True)]


def credit_to_proto(user: str, credit: Credit) -> quota_pb2.Credit:
    return quota_pb2.Credit(
        name=f"users/{user}/credits/{credit.id}",
        meter=credit.meter,
        amount=credit.amount or 0,
        source=SOURCES[credit.source],
        priority=credit.priority,
        start_time=credit.start,
        expire_time=credit.expire,
        rollover=credit.rollover,
    )


def adjustment_to_proto(user: str, adjustment: Adjustment) -> quota_pb2.Adjustment:
    return quota_pb2.Adjustment(
        name=f"users/{user}/adjustments/{adjustment.id}",
        meter=adjustment.meter,
        amount=adjustment.amount,
        reason=CAUSES[adjustment.reason],
        balance=adjustment.balance,
        overdrawn=adjustment.balance < 0,
        create_time=adjustment.time,
    )


def plan_change_to_proto(user: str, change: PlanChange) -> quota_pb2.PlanChange:
    return quota_pb2.PlanChange(
        name=f"users/{user}/planChanges/{change.id}",
        plan=change.plan,
        previous_plan=change.previous,
        create_time=change.time,
    )


def _amounts(amounts: Iterable[quota_pb2.Amount], least: int) -> dict[str, int]:
    """Units by meter."""
    found: dict[str, int] = {}
    for index, one in enumerate(amounts):
        if one.meter in found:
            raise fault(f"amounts[{index}].meter", f"{one.meter} stands there twice")
        if one.amount < least:
            raise fault(f"amounts[{index}].amount", f"must be at least {least}")
        found[one.meter] = one.amount
    return found


def _mode(mode: "quota_pb2.ReserveMode") -> Mode:
    return Mode.BEST_EFFORT if mode == quota_pb2.RESERVE_MODE_BEST_EFFORT else Mode.NORMAL


def _moment(request: Any, field: str) -> datetime | None:
    if not request.HasField(field):
        return None
    stamp: Timestamp = getattr(request, field)
    if not FIRST_SECONDS <= stamp.seconds <= LAST_SECONDS or not 0 <= stamp.nanos < NANOS_A_SECOND:
        raise fault(field, "must lie in the years 1970 to 8999")
    return stamp.ToDatetime(UTC)


def _usage_from_proto(request: quota_pb2.SettleRequest) -> Usage | None:
    if not request.HasField("usage"):
        return None
    usage = request.usage
    return Usage(usage.resource, usage.model, usage.input_tokens, usage.output_tokens)


def fault(field: str, description: str) -> InvalidArgument:
    """The refusal of a request for one of its fields."""
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])


def _unlock(plan: Plan, meter: str) -> quota_pb2.Unlock:
    allowance = plan.allowances[meter]
    return quota_pb2.Unlock(
        plan=plan.name,
        display_name=plan.display_name,
        unlimited=allowance.amount is None,
        amount=allowance.amount or 0,
        period=allowance.words,
    )


def entry_to_proto(user: str, entry: Entry) -> quota_pb2.Entry:
    usage = entry.usage
    return quota_pb2.Entry(
        name=f"users/{user}/entries/{entry.number}",
        meter=entry.meter,
        amount=entry.amount,
        kind=KINDS[entry.kind],
        debit=BOOKS[entry.debit],
        credit=BOOKS[entry.credit],
        source=SOURCES[entry.source],
        balance=entry.balance,
        hold=f"users/{user}/holds/{entry.hold}" if entry.hold is not None else "",
        usage=quota_pb2.Usage(
            resource=usage.resource,
            model=usage.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
        )
        if usage is not None
        else None,
        create_time=entry.time,
        credit_name=f"users/{user}/credits/{entry.credit_id}" if entry.credit_id is not None else "",
    )


def _result(user: str, outcome: Hold | Reserved | Refused | MeshError) -> quota_pb2.HoldResult:
    if isinstance(outcome, Hold | Reserved):
        hold = outcome if isinstance(outcome, Hold) else outcome.hold
        return quota_pb2.HoldResult(hold=hold_to_proto(user, hold))
    error = exhausted(user, outcome.decision) if isinstance(outcome, Refused) else outcome
    failed = quota_pb2.HoldError(code=int(error.code), reason=error.reason, message=error.message)
    if isinstance(outcome, Refused):
        failed.decision.CopyFrom(decision_to_proto(outcome.decision))
    return quota_pb2.HoldResult(error=failed)
