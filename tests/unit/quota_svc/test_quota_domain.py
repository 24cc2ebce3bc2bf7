"""The rules all together, driven at random against a model that moves single units between boxes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from runtime.errors import FailedPrecondition, OutOfRange
from services.quota_svc.domain.entry import EntryKind, GrantOrder, Movement
from services.quota_svc.domain.hold import Hold, HoldState, ReserveOrder
from services.quota_svc.domain.meter import Figures, Meter, window
from services.quota_svc.domain.plan import Allowance, Period

BEGIN = datetime(2026, 11, 30, 20, tzinfo=UTC)


@dataclass
class Box:
    """Units of one hold: where each goes back to, and until when they stay."""

    allowance: list[int]
    allowance_home: list[int]
    grants: list[int]
    grants_home: list[int]
    expire_time: datetime


@dataclass
class Model:
    """Every unit is a number in exactly one list."""

    limit: int
    days: dict[datetime, list[int]] = field(default_factory=dict)
    grants: list[int] = field(default_factory=list)
    boxes: dict[UUID, Box] = field(default_factory=dict)
    used: list[int] = field(default_factory=list)
    made: int = 0

    def new(self, amount: int) -> list[int]:
        self.made += amount
        return list(range(self.made - amount, self.made))

    def today(self, now: datetime) -> list[int]:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if day not in self.days:
            self.days[day] = self.new(self.limit)
        return self.days[day]

    def sweep(self, now: datetime) -> None:
        for key in [key for key, box in self.boxes.items() if box.expire_time <= now]:
            self.resolve(key, 0)

    def reserve(self, key: UUID, amount: int, now: datetime, expire_time: datetime) -> bool:
        today = self.today(now)
        if amount > len(today) + len(self.grants):
            return False
        box = Box([], today, [], self.grants, expire_time)
        for _ in range(amount):
            if today:
                box.allowance.append(today.pop())
            else:
                box.grants.append(self.grants.pop())
        self.boxes[key] = box
        return True

    def resolve(self, key: UUID, amount: int) -> None:
        box = self.boxes.pop(key)
        for _ in range(amount):
            self.used.append((box.allowance or box.grants).pop())
        box.allowance_home.extend(box.allowance)
        box.grants_home.extend(box.grants)


class Credit(RuleBasedStateMachine):
    holds = Bundle("holds")

    @initialize(limit=st.integers(1, 8))
    def begin(self, limit: int) -> None:
        self.now = BEGIN
        self.allowance = Allowance("chat", limit, Period.DAY)
        self.model = Model(limit)
        self.held: dict[UUID, Hold] = {}
        self.movements: list[Movement] = []
        self.resolutions: dict[UUID, list[tuple[HoldState, int]]] = {}

    def meter(self) -> Meter:
        """The meter as the store sums it up."""
        period = window(self.allowance, self.now)
        live = [hold for hold in self.held.values() if hold.at(self.now).state is HoldState.HELD]
        figures = Figures(
            used=-sum(
                one.amount
                for one in self.movements
                if one.kind is EntryKind.ALLOWANCE_CHARGE and period.start <= one.reserve_time < period.end
            ),
            held_from_allowance=sum(
                hold.split.from_allowance for hold in live if period.start <= hold.create_time < period.end
            ),
            granted=sum(one.amount for one in self.movements if one.kind is not EntryKind.ALLOWANCE_CHARGE),
            held_from_grants=sum(hold.split.from_grants for hold in live),
        )
        return Meter("chat", self.allowance, period, figures)

    @rule(target=holds, amount=st.integers(1, 10), seconds=st.integers(1, 3600))
    def reserve(self, amount: int, seconds: int) -> object:
        key = UUID(int=len(self.held) + 1)
        order = ReserveOrder("ann", key, "chat", amount, timedelta(seconds=seconds))
        split = self.meter().split(amount)
        assert self.model.reserve(key, amount, self.now, self.now + order.time_to_live) == (split is not None)
        if split is None:
            return multiple()
        self.held[key] = order.hold(split, self.now, key)
        return key

    @rule(key=holds, amount=st.integers(1, 10))
    def settle(self, key: UUID, amount: int) -> None:
        hold = self.held[key]
        live = key in self.model.boxes
        again = hold.state is HoldState.SETTLED and hold.settled_amount == amount
        try:
            self.held[key], charges = hold.settled(amount, None, self.now)
        except OutOfRange:
            assert live
            assert amount > hold.order.amount
        except FailedPrecondition:
            assert not live
            assert not again
        else:
            assert live or (again and not charges)
            self.movements += charges
            if live:
                self.model.resolve(key, amount)
                self.resolutions.setdefault(key, []).append((HoldState.SETTLED, amount))

    @rule(key=holds)
    def release(self, key: UUID) -> None:
        hold = self.held[key]
        try:
            self.held[key] = hold.released(self.now)
        except FailedPrecondition:
            assert hold.state is HoldState.SETTLED
        else:
            if key in self.model.boxes:
                self.model.resolve(key, 0)
                self.resolutions.setdefault(key, []).append((HoldState.RELEASED, 0))

    @rule(amount=st.integers(1, 5))
    def grant(self, amount: int) -> None:
        order = GrantOrder("ann", UUID(int=0), "chat", amount)
        self.movements.append(order.movement(self.now))
        self.model.grants.extend(self.model.new(amount))

    @rule(seconds=st.integers(1, 6 * 3600))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.model.sweep(self.now)

    @invariant()
    def what_remains_is_what_lies_in_the_boxes(self) -> None:
        meter = self.meter()
        assert meter.remaining == len(self.model.today(self.now)) + len(self.model.grants)
        assert meter.remaining >= 0
        assert meter.limit == self.model.limit

    @invariant()
    def every_unit_is_in_one_place(self) -> None:
        boxes = [*self.model.boxes.values()]
        everywhere = [*self.model.used, *self.model.grants]
        everywhere += [unit for day in self.model.days.values() for unit in day]
        everywhere += [unit for box in boxes for unit in (*box.allowance, *box.grants)]
        assert sorted(everywhere) == list(range(self.model.made))

    @invariant()
    def what_was_used_is_what_was_charged(self) -> None:
        charges = [one for one in self.movements if one.kind is not EntryKind.GRANT]
        assert -sum(one.amount for one in charges) == len(self.model.used)
        assert sum(hold.settled_amount for hold in self.held.values()) == len(self.model.used)

    @invariant()
    def every_hold_resolves_once(self) -> None:
        assert all(len(resolutions) == 1 for resolutions in self.resolutions.values())


Credit.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
TestCredit = Credit.TestCase
