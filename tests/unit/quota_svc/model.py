"""The rules of credit the naive way: every pot of units is there from the start, and units lie in exactly one place.

Nothing here is lazy, and nothing is shared with the domain but its orders: a hold takes its units out of the pots, a
plan's allowance is a pot that is filled when its period begins, and time goes from event to event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.granting import AdjustOrder, GrantOrder
from services.quota_svc.domain.hold import Mode, Overage, ReserveOrder
from services.quota_svc.domain.plan import Allowance, Plan
from services.quota_svc.domain.planning import PlanOrder
from services.quota_svc.domain.reserving import ExtendOrder
from services.quota_svc.domain.resolving import SettleOrder

NEVER = datetime.max.replace(tzinfo=UTC)
PLAN_PRIORITY = 10
DAY = timedelta(days=1)


@dataclass(eq=False)
class Pot:
    """`free` is what may be drawn; `kept` is what holds have taken out of it; `over` says that its time has ended."""

    meter: str
    priority: int
    start: datetime
    end: datetime
    free: int = 0
    rollover: int = 0
    allowance: Allowance | None = None
    of_plan: bool = False
    unlimited: bool = False
    kept: int = 0
    used: int = 0
    over: bool = False

    @property
    def turn(self) -> tuple[int, datetime, bool, datetime]:
        return (self.priority, self.end, self.allowance is not None, self.start)


@dataclass(eq=False)
class Box:
    """What a hold has taken, by meter: the pots in the order in which they were drawn on, and how much of each."""

    parts: dict[str, dict[Pot, int]]
    created: datetime
    expire: datetime
    overage: Overage
    state: str = "held"
    settled: dict[str, int] = field(default_factory=dict)
    uncovered: dict[str, int] = field(default_factory=dict)

    def total(self, meter: str) -> int:
        return sum(self.parts[meter].values())


@dataclass
class Model:
    plans: dict[str, Plan]
    plan: str
    now: datetime
    zone: str = "UTC"
    pots: list[Pot] = field(default_factory=list)
    granted: dict[UUID, Pot] = field(default_factory=dict)
    own: dict[str, Pot] = field(default_factory=dict)
    boxes: dict[UUID, Box] = field(default_factory=dict)
    returns: list[tuple[datetime, str, int]] = field(default_factory=list)
    # What was used of a kind of period that the plan does not have now, and until when that counts.
    left_behind: dict[tuple[str, Period], tuple[int, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for allowance in self.plans[self.plan].allowances.values():
            self._begin(allowance, self.now, self._next(allowance.period, self.now), 0)

    # Time.

    def advance(self, now: datetime) -> None:
        while (moment := self._soonest()) <= now:
            self.now = max(self.now, moment)
            for box in self.boxes.values():
                if box.state == "held" and box.expire <= moment:
                    self._resolve(box, {}, "expired")
            for pot in [one for one in self.pots if not one.over and one.end <= moment]:
                self._end(pot)
            back = [one for one in self.returns if one[0] <= moment]
            self.returns = [one for one in self.returns if one[0] > moment]
            for _, meter, units in back:
                self._rolling(meter).free += units
        self.now = now

    def _soonest(self) -> datetime:
        moments = [one.end for one in self.pots if not one.over]
        moments += [box.expire for box in self.boxes.values() if box.state == "held"]
        moments += [moment for moment, _, _ in self.returns]
        return min(moments, default=NEVER)

    def _end(self, pot: Pot) -> None:
        over, start, end = min(pot.free, pot.rollover), pot.start, pot.end
        self._over(pot)
        if pot.allowance is not None:
            following = self._next(pot.allowance.period, end)
            self._begin(pot.allowance, end, following, 0)
        else:
            following = end + (end - start)
        if over > 0:
            rolled = Pot(pot.meter, pot.priority, end, following, over, of_plan=pot.of_plan)
            self.pots.append(rolled)

    def _over(self, pot: Pot) -> None:
        pot.over = True
        self._drain(pot)

    def _drain(self, pot: Pot) -> None:
        """What is free of a pot that is over lapses; a debt stays when no hold is left."""
        pot.free = min(pot.free, 0)
        if pot.free < 0 and not pot.kept:
            pot.over, pot.end = False, NEVER

    def _begin(self, allowance: Allowance, start: datetime, end: datetime, used: int) -> Pot:
        amount = allowance.amount
        pot = Pot(
            allowance.meter,
            PLAN_PRIORITY,
            start,
            end,
            free=max(0, (amount or 0) - used),
            rollover=allowance.rollover,
            allowance=allowance,
            of_plan=True,
            unlimited=amount is None,
            used=used,
        )
        self.pots.append(pot)
        return pot

    def _next(self, period: Period, moment: datetime) -> datetime:
        """The first beginning of a period after `moment`."""
        return NEVER if period is Period.ROLLING else self._at_or_after(period, moment + timedelta(microseconds=1))

    def _at_or_after(self, period: Period, moment: datetime) -> datetime:
        day = (moment - 2 * DAY).astimezone(ZoneInfo(self.zone)).date()
        while True:
            begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
            if begins >= moment and (period is Period.DAY or day.day == 1):
                return begins
            day += DAY

    # What there is.

    def open(self, meter: str) -> list[Pot]:
        pots = [one for one in self.pots if one.meter == meter and not one.over and one.start <= self.now]
        return sorted(pots, key=lambda pot: pot.turn)

    def unlimited(self, meter: str) -> bool:
        return any(pot.unlimited for pot in self.open(meter))

    def remaining(self, meter: str) -> int:
        return 0 if self.unlimited(meter) else sum(pot.free for pot in self.open(meter))

    def kept(self, meter: str) -> int:
        return sum(pot.kept for pot in self.open(meter))

    def _rolling(self, meter: str) -> Pot:
        return next(one for one in self.open(meter) if one.allowance and one.allowance.period is Period.ROLLING)

    # Holds.

    def reserve(self, order: ReserveOrder) -> bool:
        taken = self._admitted(order.amounts, order.mode)
        if taken:
            parts = {meter: self._draw(meter, units) for meter, units in taken.items()}
            self.boxes[order.id] = Box(parts, self.now, self.now + order.time_to_live, order.overage)
        return bool(taken)

    def extend(self, order: ExtendOrder) -> bool:
        box = self.boxes[order.hold]
        missing = {meter: units - box.total(meter) for meter, units in order.amounts.items()}
        wanted = {meter: units for meter, units in missing.items() if units}
        taken = self._admitted(wanted, order.mode)
        if wanted and not taken:
            return False
        for meter, units in taken.items():
            for pot, part in self._draw(meter, units).items():
                box.parts[meter][pot] = box.parts[meter].get(pot, 0) + part
        if order.time_to_live is not None:
            box.expire = max(box.expire, self.now + order.time_to_live)
        return True

    def _admitted(self, amounts: dict[str, int], mode: Mode) -> dict[str, int]:
        """Units to take; nothing when that is refused."""
        least = {meter: units if self.unlimited(meter) else self.remaining(meter) for meter, units in amounts.items()}
        if mode is Mode.NORMAL and any(units > least[meter] for meter, units in amounts.items()):
            return {}
        taken = {meter: min(units, least[meter]) for meter, units in amounts.items()}
        return {meter: units for meter, units in taken.items() if units > 0}

    def _draw(self, meter: str, units: int) -> dict[Pot, int]:
        drawn: dict[Pot, int] = {}
        for pot in self.open(meter):
            part = units if pot.unlimited else max(0, min(units, pot.free))
            if part:
                drawn[pot] = part
                pot.kept += part
                pot.free -= 0 if pot.unlimited else part
                units -= part
        return drawn

    def settle(self, order: SettleOrder) -> None:
        box = self.boxes[order.hold]
        beyond: dict[str, dict[Pot, int]] = {}
        for meter in box.parts:
            excess = max(0, order.amounts.get(meter, 0) - box.total(meter))
            payable = excess if self.unlimited(meter) else max(0, min(excess, self.remaining(meter)))
            beyond[meter] = self._draw(meter, payable)
            box.uncovered[meter] = excess - payable
        for meter, drawn in beyond.items():
            for pot, part in drawn.items():
                box.parts[meter][pot] = box.parts[meter].get(pot, 0) + part
        self._resolve(box, order.amounts, "settled")

    def give_back(self, hold: UUID, state: str) -> None:
        self._resolve(self.boxes[hold], {}, state)

    def _resolve(self, box: Box, charges: dict[str, int], state: str) -> None:
        box.state = state
        for meter, parts in box.parts.items():
            left = charges.get(meter, 0)
            for pot, part in parts.items():
                charged = min(left, part)
                left -= charged
                box.settled[meter] = box.settled.get(meter, 0) + charged
                pot.kept -= part
                pot.used += charged
                pot.free += 0 if pot.unlimited else part - charged
                if pot.over:
                    self._drain(pot)
                elif charged and pot.allowance is not None and pot.allowance.window is not None:
                    self.returns.append((box.created + pot.allowance.window, meter, charged))

    # Credit beside the plan.

    def grant(self, order: GrantOrder) -> None:
        pot = Pot(order.meter, order.priority, order.start or self.now, order.expire or NEVER, order.amount)
        pot.rollover = order.rollover
        self.pots.append(pot)
        self.granted[order.id] = pot

    def adjust(self, order: AdjustOrder) -> None:
        named = self.granted[order.credit] if order.credit is not None else None
        if named is None or named.start > self.now or named.end <= self.now:
            if order.meter not in self.own:
                self.own[order.meter] = Pot(order.meter, 100, self.now, NEVER)
                self.pots.append(self.own[order.meter])
            named = self.own[order.meter]
        named.free += order.amount

    # Plans and zones.

    def set_plan(self, order: PlanOrder) -> None:
        pending = {meter: sum(one[2] for one in self.returns if one[1] == meter) for _, meter, _ in self.returns}
        self.returns = []
        for pot in [one for one in self.pots if one.of_plan and not one.over]:
            if pot.allowance is not None:
                used = pot.kept + (pending.get(pot.meter, 0) if pot.allowance.window else pot.used)
                if used:
                    self.left_behind[(pot.meter, pot.allowance.period)] = (used, pot.end)
            self._over(pot)
        if order.reset:
            self.left_behind = {}
        self.plan = order.plan
        for allowance in self.plans[order.plan].allowances.values():
            used, end = self.left_behind.pop((allowance.meter, allowance.period), (0, NEVER))
            if end <= self.now:
                used, end = 0, NEVER
            if end == NEVER:
                end = self._next(allowance.period, self.now)
            self._begin(allowance, self.now, end, used)
            if allowance.window is not None and used:
                self.returns.append((self.now + allowance.window, allowance.meter, min(used, allowance.amount or 0)))

    def set_time_zone(self, zone: str) -> None:
        if zone == self.zone:
            return
        self.zone = zone
        for pot in self.pots:
            if pot.allowance is not None and not pot.over and pot.end != NEVER:
                pot.end = self._at_or_after(pot.allowance.period, pot.end)
        for (meter, period), (used, end) in list(self.left_behind.items()):
            if period is not Period.ROLLING:
                self.left_behind[(meter, period)] = (used, self._at_or_after(period, end))
