"""Domain values as columns: what one statement writes is an array a column."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.credit import Credit
from services.quota_svc.domain.entry import Entry
from services.quota_svc.domain.hold import Hold, Line
from services.quota_svc.domain.record import Adjustment, PlanChange, Taken
from services.quota_svc.store import statements


def arguments(
    versions: Mapping[str, int],
    flushed: Sequence[tuple[Account, Changes]],
    messages: Sequence[tuple[str, bytes]],
) -> list[list[object]]:
    """The arguments of `statements.WRITE`: columns of every part."""
    owned = [(account.user, changes) for account, changes in flushed]
    holds = [(user, one, one.id in changes.new_holds) for user, changes in owned for one in changes.holds.values()]
    parts: tuple[Iterable[Sequence[object]], ...] = (
        versions.items(),
        (_account(account) for account, _ in flushed),
        (_credit(user, one) for user, changes in owned for one in changes.credits.values()),
        (_hold(user, one) for user, one, new in holds if new),
        (_hold(user, one) for user, one, new in holds if not new),
        (_entry(user, one) for user, changes in owned for one in changes.entries),
        (_adjustment(user, one) for user, changes in owned for one in changes.adjustments),
        (_plan_change(user, one) for user, changes in owned for one in changes.plan_changes),
        messages,
    )
    return [column for rows, part in zip(parts, statements.PARTS, strict=True) for column in _turned(rows, len(part))]


def _turned(rows: Iterable[Sequence[object]], count: int) -> list[list[object]]:
    """Rows as `count` columns."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def _account(one: Account) -> tuple[object, ...]:
    return (
        one.user,
        one.plan,
        one.calendar.zone,
        one.calendar.anchor,
        one.number,
        one.changes_of_plan,
        one.version,
        json.dumps([_taken(taken) for taken in one.taken]),
        one.time,
    )


def _credit(user: str, one: Credit) -> tuple[object, ...]:
    return (
        user,
        one.id,
        one.meter,
        one.source.value,
        one.priority,
        one.amount,
        one.balance,
        one.used,
        one.state.value,
        one.start,
        one.expire,
        one.created,
        one.ended,
        one.allowance,
        one.rollover,
        one.window,
        one.adjusted,
        one.fingerprint,
    )


def _hold(user: str, one: Hold) -> tuple[object, ...]:
    return (
        user,
        one.id,
        _lines(one),
        one.state.value,
        one.overage.value,
        one.created,
        one.expire,
        one.resolved,
        one.fingerprint,
        one.settlement,
        one.voided_by,
        one.void_reason,
    )


def _entry(user: str, one: Entry) -> tuple[object, ...]:
    return (
        user,
        one.number,
        one.meter,
        one.kind.value,
        one.debit.value,
        one.credit.value,
        one.amount,
        one.balance,
        one.source.value,
        one.credit_id,
        one.hold,
        json.dumps(asdict(one.usage)) if one.usage is not None else None,
        one.time,
    )


def _adjustment(user: str, one: Adjustment) -> tuple[object, ...]:
    return (user, one.id, one.meter, one.amount, one.reason.value, one.balance, one.time, one.fingerprint)


def _plan_change(user: str, one: PlanChange) -> tuple[object, ...]:
    return (user, one.id, one.plan, one.previous, one.time, one.fingerprint)


def _lines(one: Hold) -> str:
    return json.dumps([_line(line) for line in one.lines])


def _line(line: Line) -> dict[str, object]:
    lots = [{"credit": str(lot.credit) if lot.credit else None, "amount": lot.amount} for lot in line.lots]
    return {"meter": line.meter, "lots": lots, "settled": line.settled, "uncovered": line.uncovered}


def _taken(one: Taken) -> dict[str, object]:
    window = one.window.total_seconds() if one.window is not None else None
    return {
        "meter": one.meter,
        "period": one.period.value,
        "window_seconds": window,
        "until": one.until.isoformat(),
        "units": one.units,
    }
