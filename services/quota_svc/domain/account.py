"""An account: everything that counts for one user's credit now, and what has changed since it was read.

It is read under a lock, changed by the verbs beside this module (`reserving`, `resolving`, `granting`, `planning`),
and written back in the same transaction. A verb refuses before it changes anything, or does all that it should.

What time alone does, happens when somebody looks: `advance` expires holds, ends credit that is over, and opens credit
whose time has come, each dated when it was due. A plan's allowance is opened when it is first drawn on; until then it
is a promise of the plan and shows in figures alone. So there is no storm at midnight.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from runtime.errors import NotFound
from services.quota_svc.domain.calendar import Calendar, Period
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.credit import ENDLESS, PLAN_PRIORITY, Credit, CreditState, Source
from services.quota_svc.domain.entry import Book, Entry, EntryKind, Usage
from services.quota_svc.domain.event import Reset
from services.quota_svc.domain.hold import Hold, HoldState
from services.quota_svc.domain.plan import FREE, Allowance, Tariff
from services.quota_svc.domain.record import Adjustment, PlanChange, Taken

# Ids of what nobody asked for by an id of their own: allowances, returns, what rolled over.
NAMESPACE = UUID("5ce9e3e5-2a1b-4c3d-8e4f-9a0b1c2d3e4f")


@dataclass(frozen=True, slots=True)
class Queue:
    """A meter's open credits in the order in which they are drawn on, and the units that come back to it by themselves.

    `allowance` is whether the plan's allowance is among them.
    """

    open: list[UUID]
    returning: list[UUID]
    allowance: bool


class Account:
    """`time` is that of the last write, and nothing is ever dated before it; `number` is the newest entry's.

    `credits` and `holds` are the live ones. What is asked for by an id and is not among them is recalled before.
    """

    def __init__(
        self,
        user: str,
        time: datetime,
        *,
        plan: str = FREE,
        calendar: Calendar = Calendar(),  # noqa: B008 (a frozen value)
        number: int = 0,
        changes_of_plan: int = 0,
        version: int = 0,
        taken: Iterable[Taken] = (),
        credits: Iterable[Credit] = (),  # noqa: A002 (the field's own word)
        holds: Iterable[Hold] = (),
    ) -> None:
        self.user = user
        self.time = time
        self.plan = plan
        self.calendar = calendar
        self.number = number
        self.changes_of_plan = changes_of_plan
        self.version = version
        self.taken = tuple(taken)
        self.credits = {credit.id: credit for credit in credits}
        self.holds = {hold.id: hold for hold in holds}
        self.adjustments: dict[UUID, Adjustment] = {}
        self.plan_changes: dict[UUID, PlanChange] = {}
        self.changes = Changes()
        # What is over and was asked for by id, until the next flush.
        self.resolved: dict[UUID, Hold] = {}
        self.closed: dict[UUID, Credit] = {}
        self.held: dict[UUID, int] = {}
        for hold in self.holds.values():
            self._count(hold, 1)
        self._queues: dict[str, Queue] = {}
        self._due = self._soonest()

    def copy(self) -> Account:
        """An account that can be changed and thrown away."""
        twin = Account.__new__(Account)
        twin.__dict__.update(self.__dict__)
        for name in ("credits", "holds", "adjustments", "plan_changes", "resolved", "closed", "held", "_queues"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.changes = self.changes.copy()
        return twin

    def recall(
        self,
        holds: Iterable[Hold] = (),
        credits: Iterable[Credit] = (),  # noqa: A002
        adjustments: Iterable[Adjustment] = (),
        plan_changes: Iterable[PlanChange] = (),
    ) -> None:
        """Makes known what earlier requests made, beside what is live."""
        self.resolved.update((one.id, one) for one in holds if one.state is not HoldState.HELD)
        self.closed.update((one.id, one) for one in credits if not one.live)
        self.adjustments.update((one.id, one) for one in adjustments)
        self.plan_changes.update((one.id, one) for one in plan_changes)

    def hold(self, hold_id: UUID) -> Hold:
        """A hold by its id; NOT_FOUND when there is none."""
        hold = self.earlier_hold(hold_id)
        if hold is None:
            raise NotFound("There is no such hold.", reason="HOLD_NOT_FOUND")
        return hold

    def earlier_hold(self, hold_id: UUID) -> Hold | None:
        return self.holds.get(hold_id) or self.resolved.get(hold_id)

    def earlier_credit(self, credit_id: UUID) -> Credit | None:
        return self.credits.get(credit_id) or self.closed.get(credit_id)

    def flush(self) -> Changes:
        """What has changed since the last time; the account goes on with what is live."""
        changes, self.changes = self.changes, Changes()
        for recalled in (self.resolved, self.closed, self.adjustments, self.plan_changes):
            recalled.clear()
        return changes

    # What there is to draw on.

    def lots(self, meter: str, tariff: Tariff, now: datetime) -> list[Credit]:
        """The open credits of a meter in the order in which they are drawn on, an unopened allowance among them."""
        queue = self.queue(meter)
        found = [self.credits[credit_id] for credit_id in queue.open]
        allowance = None if queue.allowance else tariff.allowance(self.plan, meter)
        if allowance is not None:
            found.append(self.allowance(allowance, now))
            found.sort(key=lambda credit: credit.turn)
        return found

    def queue(self, meter: str) -> Queue:
        """The meter's credits in their order; it is made anew when one of them begins or ends."""
        queue = self._queues.get(meter)
        if queue is None:
            live = sorted((one for one in self.credits.values() if one.meter == meter), key=lambda credit: credit.turn)
            returning = [one for one in live if one.allowance and one.state is CreditState.SCHEDULED]
            drawn_on = [one for one in live if one.state is CreditState.OPEN]
            allowance = bool(returning) or any(one.allowance for one in drawn_on)
            queue = Queue([one.id for one in drawn_on], [one.id for one in returning], allowance)
            self._queues[meter] = queue
        return queue

    def left(self, credit: Credit) -> int:
        """What is left of a limited credit, holds taken off."""
        return credit.balance - self.held.get(credit.id, 0)

    def balance(self, meter: str) -> int:
        """The meter's AVAILABLE account."""
        return sum(one.balance for one in self.credits.values() if one.meter == meter and one.live)

    def allowance(self, allowance: Allowance, now: datetime, carried: int = 0) -> Credit:
        """An allowance's credit for the period that `now` lies in, of which `carried` units count as used."""
        window = None if allowance.period is Period.ROLLING else self.calendar.window(allowance.period, now)
        name = f"{self.user}/{allowance.meter}/{self.changes_of_plan}/{now.isoformat()}"
        return Credit(
            id=uuid5(NAMESPACE, name),
            meter=allowance.meter,
            source=Source.PLAN,
            priority=PLAN_PRIORITY,
            amount=allowance.amount,
            start=now,
            expire=window.end if window is not None else None,
            created=now,
            state=CreditState.OPEN,
            balance=max(0, (allowance.amount or 0) - carried),
            used=carried,
            allowance=True,
            rollover=allowance.rollover,
            window=allowance.window,
        )

    # How it changes. Every change of a credit's balance goes through `move`.

    def keep(self, credit: Credit) -> Credit:
        home, other = (self.credits, self.closed) if credit.live else (self.closed, self.credits)
        before = other.pop(credit.id, None) or home.get(credit.id)
        home[credit.id] = credit
        if before is None or (before.state, before.expire) != (credit.state, credit.expire):
            self._queues.pop(credit.meter, None)
        self.changes.credits[credit.id] = credit
        self._due = min(self._due, credit.due)
        return credit

    def keep_hold(self, hold: Hold) -> Hold:
        """Keeps a hold, and what it holds back on its credits."""
        before = self.holds.get(hold.id)
        if before is not None:
            self._count(before, -1)
        else:
            self.changes.new_holds.add(hold.id)
        if hold.state is HoldState.HELD:
            self._count(hold, 1)
            self._due = min(self._due, hold.expire)
            self.holds[hold.id] = hold
        else:
            self.holds.pop(hold.id, None)
            self.resolved[hold.id] = hold
        self.changes.holds[hold.id] = hold
        return hold

    def open(self, credit: Credit, at: datetime, kind: EntryKind, debit: Book = Book.ISSUED) -> Credit:
        """Opens a credit with its balance entered as a movement from `debit`."""
        amount, empty = credit.balance, replace(credit, balance=0, state=CreditState.OPEN)
        self.keep(empty)
        return self.move(kind, empty.id, debit, Book.AVAILABLE, amount, at) if amount else empty

    def opened(self, credit: Credit, now: datetime) -> Credit:
        """The credit as it is kept; one that was only a promise is opened now."""
        return self.credits.get(credit.id) or self.open(credit, now, EntryKind.ALLOWANCE)

    def schedule(self, credit: Credit) -> Credit:
        """Keeps a credit whose time has not come; nothing of it is entered before."""
        return self.keep(replace(credit, state=CreditState.SCHEDULED, balance=0))

    def move(
        self,
        kind: EntryKind,
        credit_id: UUID,
        debit: Book,
        credit: Book,
        amount: int,
        at: datetime,
        hold: UUID | None = None,
        usage: Usage | None = None,
    ) -> Credit:
        """Enters a movement of a credit's units, and gives the credit after it."""
        one = self.credits[credit_id]
        change = (credit is Book.AVAILABLE) - (debit is Book.AVAILABLE)
        used = one.used + amount if kind is EntryKind.CHARGE else one.used
        one = self.keep(replace(one, balance=one.balance + change * amount, used=used))
        self.enter(kind, one.meter, one.source, one.id, debit, credit, amount, at, hold, usage)
        return one

    def enter(
        self,
        kind: EntryKind,
        meter: str,
        source: Source,
        credit_id: UUID | None,
        debit: Book,
        credit: Book,
        amount: int,
        at: datetime,
        hold: UUID | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.number += 1
        entry = Entry(
            self.number, meter, kind, debit, credit, amount, self.balance(meter), source, credit_id, at, hold, usage
        )
        self.changes.entries.append(entry)

    def end(self, credit: Credit, at: datetime) -> Credit:
        """Ends a credit: what no hold keeps lapses; it closes when no hold is left on it. A debt has no end."""
        free, held = self.left(credit), self.held.get(credit.id, 0)
        if not credit.unlimited and free > 0:
            credit = self.move(EntryKind.LAPSE, credit.id, Book.AVAILABLE, Book.LAPSED, free, at)
        if held:
            return self.keep(replace(credit, state=CreditState.ENDING, ended=credit.ended or at))
        if credit.balance < 0:
            return self.keep(replace(credit, state=CreditState.OPEN, expire=None, ended=None))
        return self.keep(replace(credit, state=CreditState.CLOSED, ended=credit.ended or at))

    def tidy(self, credit_id: UUID | None, at: datetime) -> None:
        """Closes a credit that is used up, or was only waiting for its last hold."""
        credit = self.credits.get(credit_id) if credit_id is not None else None
        if credit is None:
            return
        if credit.state is CreditState.ENDING:
            self.end(credit, at)
        elif credit.state is CreditState.OPEN and not credit.unlimited:
            stays = credit.allowance and credit.window is None
            if not stays and credit.balance == 0 and not self.held.get(credit.id):
                self.keep(replace(credit, state=CreditState.CLOSED, ended=at))

    # What time does.

    def advance(self, tariff: Tariff, now: datetime) -> datetime:
        """Brings the account to `now`, or to its own time where that is later, and gives that instant."""
        now = max(now, self.time)
        while self._due <= now:
            self._happen(max(self._due, self.time), tariff, now)
            self._due = self._soonest()
        self.time = now
        return now

    def _happen(self, at: datetime, tariff: Tariff, now: datetime) -> None:
        for hold in [one for one in self.holds.values() if one.expire <= at]:
            self.give_back(replace(hold, state=HoldState.EXPIRED, resolved=hold.expire), at)
        for credit in [one for one in self.credits.values() if one.due <= at]:
            if credit.state is CreditState.SCHEDULED:
                self.open(replace(credit, balance=credit.amount or 0), at, _beginning(credit))
            else:
                self._finish(credit, at, tariff, now)

    def give_back(self, hold: Hold, at: datetime) -> Hold:
        """Keeps a hold that ends without a charge."""
        kept = self.keep_hold(hold)
        for line in hold.lines:
            for lot in line.lots:
                self.tidy(lot.credit, at)
        return kept

    def _finish(self, credit: Credit, at: datetime, tariff: Tariff, now: datetime) -> None:
        """Ends a credit whose time is over, and lets what may live on do so."""
        over = min(self.left(credit), credit.rollover)
        drawn_on = credit.used > 0 or self.held.get(credit.id, 0) > 0
        self.end(credit, at)
        allowance = tariff.allowance(self.plan, credit.meter) if credit.allowance else None
        if allowance is not None and drawn_on:
            self.changes.events.append(Reset(credit.meter, allowance.amount))
        if not credit.allowance and over > 0 and credit.expire is not None:
            self._roll(credit, over, at, credit.expire + (credit.expire - credit.start))
        if allowance is not None and allowance.rollover and allowance.amount is not None:
            self._renew(credit, over, at, allowance, now)

    def _renew(self, credit: Credit, over: int, at: datetime, allowance: Allowance, now: datetime) -> None:
        """Opens the period that follows at once, because what it leaves unused counts for the one after it.

        Of a user who was away for whole periods, only the last one can still leave something: all of its own.
        """
        following = self.calendar.window(allowance.period, at)
        if now < following.end:
            self.open(self.allowance(allowance, at), at, EntryKind.ALLOWANCE)
            if over > 0:
                self._roll(credit, over, at, following.end)
            return
        current = self.calendar.window(allowance.period, now)
        self.schedule(self.allowance(allowance, current.start))
        left = min(allowance.amount or 0, allowance.rollover)
        self.schedule(self._rolled(credit, left, current.start, current.end))

    def _roll(self, credit: Credit, units: int, at: datetime, expire: datetime) -> None:
        self.open(self._rolled(credit, units, at, expire), at, EntryKind.ROLLOVER, Book.LAPSED)

    def _rolled(self, credit: Credit, units: int, at: datetime, expire: datetime) -> Credit:
        return replace(
            credit,
            id=uuid5(NAMESPACE, f"{credit.id}/rollover"),
            amount=units,
            start=at,
            expire=expire,
            created=at,
            balance=units,
            used=0,
            allowance=False,
            rollover=0,
            ended=None,
            fingerprint=None,
        )

    def comes_back(self, credit: Credit, units: int, used_at: datetime, cause: UUID) -> None:
        """What was used of a rolling allowance comes back a window after it was."""
        own = uuid5(NAMESPACE, f"{credit.id}/{cause}/return")
        start = used_at + (credit.window or timedelta())
        self.schedule(replace(credit, id=own, amount=units, start=start, created=self.time, used=0, ended=None))

    def _count(self, hold: Hold, sign: int) -> None:
        for line in hold.lines:
            for lot in line.lots:
                if lot.credit is not None:
                    self.held[lot.credit] = self.held.get(lot.credit, 0) + sign * lot.amount

    @property
    def due(self) -> datetime:
        """No later than when time alone changes something."""
        return self._due

    def _soonest(self) -> datetime:
        dues = [one.due for one in self.credits.values()]
        dues += [one.expire for one in self.holds.values()]
        return min(dues, default=ENDLESS)


def _beginning(credit: Credit) -> EntryKind:
    """Why a scheduled credit begins."""
    if credit.allowance:
        return EntryKind.RETURN if credit.window is not None else EntryKind.ALLOWANCE
    return EntryKind.ROLLOVER if credit.source is Source.PLAN else EntryKind.GRANT
