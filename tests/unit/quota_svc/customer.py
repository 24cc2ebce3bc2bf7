"""One user of the ledger, whose clock the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Calendar, Period
from services.quota_svc.domain.credit import Credit, Source
from services.quota_svc.domain.decision import Decision, Figures, decide, figures
from services.quota_svc.domain.entry import Entry, Usage
from services.quota_svc.domain.event import Event
from services.quota_svc.domain.granting import AdjustOrder, GrantOrder, adjust, grant
from services.quota_svc.domain.hold import Hold, Mode, Overage, ReserveOrder
from services.quota_svc.domain.meter import Meter, MeterTable
from services.quota_svc.domain.plan import FREE, Allowance, Plan, PlanTable, Tariff
from services.quota_svc.domain.planning import PlanOrder, set_plan, set_time_zone
from services.quota_svc.domain.record import Adjustment, AdjustmentReason, PlanChange
from services.quota_svc.domain.reserving import ExtendOrder, Refused, Reserved, extend, reserve
from services.quota_svc.domain.resolving import SettleOrder, release, settle, void

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

METERS = MeterTable([Meter("chat", "chat turns", 80), Meter("video", "videos", 80), Meter("story", "stories", 80)])


def chat(amount: int | None = 5, *, shadow: bool = False, rollover: int = 0) -> Allowance:
    return Allowance("chat", amount, Period.DAY, shadow=shadow, rollover=rollover)


def video(amount: int | None = 10, *, rollover: int = 0) -> Allowance:
    return Allowance("video", amount, Period.MONTH, rollover=rollover)


def story(amount: int | None = 4, window: timedelta = 3 * HOUR) -> Allowance:
    return Allowance("story", amount, Period.ROLLING, window=window)


def plan(slug: str, *allowances: Allowance) -> Plan:
    return Plan(f"plans/{slug}", slug.title(), {one.meter: one for one in allowances}, 1000)


def tariff(*plans: Plan, shadow: bool = False) -> Tariff:
    return Tariff(PlanTable(plans), METERS, shadow)


def uuid(number: int) -> UUID:
    return UUID(int=number)


class Customer:
    """`now` is what the clock says; every verb happens then."""

    def __init__(self, rates: Tariff, *, on: str = FREE, zone: str = "UTC", now: datetime = NOW) -> None:
        self.tariff = rates
        self.now = now
        self.account = Account("ann", now, plan=on, calendar=Calendar(zone), version=1)
        self._ids = 1000

    def new_id(self) -> UUID:
        self._ids += 1
        return uuid(self._ids)

    def reserve(
        self,
        amounts: dict[str, int] | int = 1,
        *,
        life: timedelta = HOUR,
        mode: Mode = Mode.NORMAL,
        overage: Overage = Overage.REFUSED,
        request: UUID | None = None,
    ) -> Reserved | Refused:
        units = {"chat": amounts} if isinstance(amounts, int) else amounts
        order = ReserveOrder("ann", request or self.new_id(), units, life, mode, overage)
        return reserve(self.account, order, self.tariff, self.now)

    def hold(
        self,
        amounts: dict[str, int] | int = 1,
        *,
        life: timedelta = HOUR,
        mode: Mode = Mode.NORMAL,
        overage: Overage = Overage.REFUSED,
    ) -> UUID:
        outcome = self.reserve(amounts, life=life, mode=mode, overage=overage)
        assert isinstance(outcome, Reserved), outcome
        return outcome.hold.id

    def refusal(self, amounts: dict[str, int] | int = 1, *, mode: Mode = Mode.NORMAL) -> Decision:
        outcome = self.reserve(amounts, mode=mode)
        assert isinstance(outcome, Refused), outcome
        return outcome.decision

    def extend(
        self, hold: UUID, amounts: dict[str, int], life: timedelta | None = None, mode: Mode = Mode.NORMAL
    ) -> Reserved | Refused:
        return extend(self.account, ExtendOrder("ann", hold, amounts, life, mode), self.tariff, self.now)

    def settle(self, hold: UUID, amounts: dict[str, int] | int, usage: Usage | None = None) -> Hold:
        units = {"chat": amounts} if isinstance(amounts, int) else amounts
        return settle(self.account, SettleOrder("ann", hold, units, usage), self.tariff, self.now)

    def use(self, amounts: dict[str, int] | int) -> Hold:
        return self.settle(self.hold(amounts), amounts)

    def release(self, hold: UUID) -> Hold:
        return release(self.account, hold, self.tariff, self.now)

    def void(self, hold: UUID, operator: str = "olga", reason: str = "stuck") -> Hold:
        return void(self.account, hold, operator, reason, self.tariff, self.now)

    def grant(
        self,
        amount: int,
        meter: str = "chat",
        *,
        priority: int = 100,
        start: datetime | None = None,
        expire: datetime | None = None,
        rollover: int = 0,
        source: Source = Source.PROMO,
        request: UUID | None = None,
    ) -> Credit:
        order = GrantOrder("ann", request or self.new_id(), meter, amount, source, priority, start, expire, rollover)
        return grant(self.account, order, self.tariff, self.now)

    def adjust(
        self, amount: int, meter: str = "chat", *, credit: UUID | None = None, request: UUID | None = None
    ) -> Adjustment:
        order = AdjustOrder("ann", request or self.new_id(), meter, amount, AdjustmentReason.REFUND, credit)
        return adjust(self.account, order, self.tariff, self.now)

    def move(
        self, slug: str, *, reset: bool = False, anchor: datetime | None = None, request: UUID | None = None
    ) -> PlanChange:
        order = PlanOrder("ann", request or self.new_id(), f"plans/{slug}", reset, anchor)
        return set_plan(self.account, order, self.tariff, self.now)

    def live_in(self, zone: str) -> None:
        set_time_zone(self.account, zone, self.tariff, self.now)

    def wait(self, duration: timedelta) -> None:
        self.until(self.now + duration)

    def until(self, moment: datetime) -> None:
        self.now = moment
        self.account.advance(self.tariff, self.now)

    def decision(self, amount: int = 1, meter: str = "chat") -> Decision:
        now = self.account.advance(self.tariff, self.now)
        return decide(self.account, meter, amount, self.tariff, now)

    def figures(self, meter: str = "chat") -> Figures:
        now = self.account.advance(self.tariff, self.now)
        return figures(self.account, meter, self.tariff, now)

    def remaining(self, meter: str = "chat") -> int:
        return self.figures(meter).remaining

    @property
    def entries(self) -> list[Entry]:
        return self.account.changes.entries

    @property
    def events(self) -> list[Event]:
        return self.account.changes.events

    def told(self, *kinds: type) -> list[Event]:
        return [one for one in self.events if isinstance(one, kinds)]

    def moved(self) -> list[tuple[str, int, int, datetime]]:
        """Kind, units, balance afterwards and time of every entry."""
        return [(one.kind.value, one.amount, one.balance, one.time) for one in self.entries]
