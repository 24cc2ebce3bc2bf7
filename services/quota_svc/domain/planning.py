"""Moving a user to another plan, and their days to another time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime.errors import InvalidArgument, NotFound, Violation
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Calendar, Period
from services.quota_svc.domain.credit import Credit, CreditState, Source
from services.quota_svc.domain.decision import figures
from services.quota_svc.domain.entry import EntryKind
from services.quota_svc.domain.event import Reset, Updated
from services.quota_svc.domain.plan import Allowance, Plan, Tariff
from services.quota_svc.domain.record import PlanChange, Taken
from services.quota_svc.domain.request import answered, fingerprint


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """A wish to be on a plan; `reset` forgets what was used, `anchor` is what months are counted from."""

    user: str
    id: UUID
    plan: str
    reset: bool = False
    anchor: datetime | None = None

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(self.plan, self.reset, self.anchor)


def set_plan(account: Account, order: PlanOrder, tariff: Tariff, now: datetime) -> PlanChange:
    """Puts the user on a plan at once; the same order again gives the same change."""
    earlier = account.plan_changes.get(order.id)
    if earlier is not None:
        return answered(order.id, order.fingerprint, earlier.fingerprint, earlier)
    if order.plan not in tariff.plans:
        raise NotFound(f"There is no plan {order.plan} on offer.", reason="PLAN_NOT_FOUND")
    now = account.advance(tariff, now)
    old, new = tariff.plans.plan(account.plan), tariff.plans.plan(order.plan)
    taken = [] if order.reset else _taken(account, old, now)
    for credit in [one for one in account.credits.values() if one.source is Source.PLAN]:
        if credit.state in (CreditState.OPEN, CreditState.SCHEDULED):
            account.end(credit, now)
    change = PlanChange(order.id, order.plan, account.plan, now, order.fingerprint)
    account.plan = order.plan
    account.calendar = replace(account.calendar, anchor=order.anchor)
    account.changes_of_plan += 1
    account.plan_changes[change.id] = change
    account.changes.plan_changes.append(change)
    counted = [_begin(account, allowance, taken, now) for allowance in new.allowances.values()]
    account.taken = tuple(one for one in taken if one not in counted)
    if order.reset:
        account.changes.events += [Reset(one.meter, one.amount) for one in new.allowances.values()]
    for meter in {**old.allowances, **new.allowances}:
        stand = figures(account, meter, tariff, now)
        account.changes.events.append(Updated(meter, stand.remaining, stand.limit is None, 0))
    return change


def set_time_zone(account: Account, zone: str, tariff: Tariff, now: datetime) -> None:
    """Moves the beginnings of days and months to another zone.

    A running period goes on to the first beginning in the new zone that is not before its old end: changing to and fro
    makes periods longer and never gives credit early.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        fault = Violation("quota.time_zone", 'must be a name of the IANA time zone database, such as "Europe/Berlin"')
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault]) from error
    now = account.advance(tariff, now)
    if zone == account.calendar.zone:
        return
    # An allowance that is a promise still has a period that is running, too.
    for meter in tariff.plans.plan(account.plan).allowances:
        for credit in account.lots(meter, tariff, now):
            account.opened(credit, now)
    account.calendar = Calendar(zone, account.calendar.anchor)
    account.changes.account = True
    for credit in list(account.credits.values()):
        allowance = tariff.allowance(account.plan, credit.meter)
        running = credit.allowance and credit.state is CreditState.OPEN
        if running and credit.expire is not None and allowance is not None:
            account.keep(replace(credit, expire=_moved(account.calendar, allowance.period, credit.expire)))
    account.taken = tuple(
        one if one.period is Period.ROLLING else replace(one, until=_moved(account.calendar, one.period, one.until))
        for one in account.taken
    )


def _moved(calendar: Calendar, period: Period, end: datetime) -> datetime:
    """The first beginning of a period in the new calendar that is not before the old end."""
    following = calendar.window(period, end)
    return end if following.start == end else following.end


def _taken(account: Account, plan: Plan, now: datetime) -> list[Taken]:
    """What was used, or is held, of the periods that run: those of this plan, and those of plans before it."""
    taken = [one for one in account.taken if now < one.until]
    for meter, allowance in plan.allowances.items():
        running = [one for one in account.credits.values() if one.meter == meter and one.allowance]
        units = sum(_used(account, one) for one in running)
        if units:
            ends = [one.expire for one in running if one.state is CreditState.OPEN and one.expire is not None]
            until = max(ends, default=now + (allowance.window or timedelta()))
            taken.append(Taken(meter, allowance.period, allowance.window, until, units))
    return taken


def _used(account: Account, credit: Credit) -> int:
    """What of an allowance's credit counts against the one that follows it."""
    if credit.state is CreditState.SCHEDULED:
        return credit.amount or 0
    if credit.state is not CreditState.OPEN:
        return 0
    # What was used of a rolling allowance is scheduled to come back, and counts there.
    return account.held.get(credit.id, 0) + (credit.used if credit.window is None else 0)


def _begin(account: Account, allowance: Allowance, taken: Sequence[Taken], now: datetime) -> Taken | None:
    """Opens an allowance that cannot wait until it is drawn on, and gives what was taken that counts against it."""
    before = next((one for one in taken if one.counts_against(allowance)), None)
    if before is None:
        if allowance.rollover:
            account.open(account.allowance(allowance, now), now, EntryKind.ALLOWANCE)
        return None
    credit = account.allowance(allowance, now, carried=before.units)
    if allowance.period is not Period.ROLLING:
        expire = max(before.until, credit.expire or now)
        account.open(replace(credit, expire=expire), now, EntryKind.ALLOWANCE)
        return before
    account.open(replace(credit, amount=credit.balance, used=0), now, EntryKind.ALLOWANCE)
    if allowance.amount is not None:
        account.comes_back(credit, min(before.units, allowance.amount), now, credit.id)
    return before
