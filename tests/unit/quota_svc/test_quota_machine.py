"""All verbs at random against the naive model, and what must hold after each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from runtime.errors import MeshError
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.credit import Credit, Source
from services.quota_svc.domain.decision import Figures, figures
from services.quota_svc.domain.entry import Book
from services.quota_svc.domain.flushing import flush
from services.quota_svc.domain.granting import AdjustOrder, GrantOrder, adjust, grant
from services.quota_svc.domain.hold import Hold, Mode, Overage, ReserveOrder
from services.quota_svc.domain.meter import Meter, MeterTable
from services.quota_svc.domain.plan import FREE, Allowance, Plan, PlanTable, Tariff
from services.quota_svc.domain.planning import PlanOrder, set_plan, set_time_zone
from services.quota_svc.domain.record import Adjustment, AdjustmentReason, PlanChange
from services.quota_svc.domain.reserving import ExtendOrder, Reserved, extend, reserve
from services.quota_svc.domain.resolving import SettleOrder, release, settle, void
from tests.unit.quota_svc.books import Books, Store, state_of
from tests.unit.quota_svc.model import Model

BEGIN = datetime(2026, 11, 28, 20, tzinfo=UTC)
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu")
METERS = ("chat", "video", "story", "credits")


def daily(amount: int | None) -> Allowance:
    return Allowance("chat", amount, Period.DAY)


def monthly(amount: int | None, rollover: int = 0) -> Allowance:
    return Allowance("video", amount, Period.MONTH, rollover=rollover)


def rolling(amount: int) -> Allowance:
    return Allowance("story", amount, Period.ROLLING, window=timedelta(hours=3))


def plan(slug: str, *allowances: Allowance) -> Plan:
    return Plan(f"plans/{slug}", slug.title(), {one.meter: one for one in allowances}, 1)


PLANS = [
    plan("free", daily(5), rolling(4)),
    plan("plus", daily(8), monthly(6, rollover=3), rolling(6)),
    plan("pro", daily(None), monthly(10, rollover=4), rolling(4)),
]
TARIFF = Tariff(PlanTable(PLANS), MeterTable(Meter(name, f"units of {name}", 80) for name in METERS))

meters = st.sampled_from(METERS)
units = st.integers(1, 6)
amounts = st.dictionaries(meters, units, min_size=1, max_size=3)
lives = st.sampled_from([timedelta(minutes=5), timedelta(hours=1), timedelta(hours=5), timedelta(hours=24)])
times = st.none() | st.sampled_from([timedelta(hours=2), timedelta(days=1, minutes=7), timedelta(days=9)])


def attempt(verb: Callable[[], object]) -> object:
    """What a verb gives, or the reason of its refusal."""
    try:
        return verb()
    except MeshError as error:
        return error.reason


class CreditMachine(RuleBasedStateMachine):
    holds = Bundle("holds")
    granted = Bundle("granted")
    adjustments = Bundle("adjustments")
    changes = Bundle("changes")

    @initialize(target=changes, chosen=st.sampled_from(PLANS))
    def begin(self, chosen: Plan) -> object:
        self.now = BEGIN
        self.account = Account("ann", BEGIN, version=1)
        self.model = Model({one.name: one for one in PLANS}, FREE, BEGIN)
        self.store = Store(self.account)
        self.books = Books()
        self.ids = 0
        self.entries_taken = 0
        return self.changed(chosen, reset=False)

    def new_id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def verb(self, verb: Callable[[Account], object]) -> object:
        """What a verb gives; a refusal leaves everything as time alone would have left it."""
        self.model.advance(self.now)
        self.store.recall(self.account)
        untouched = self.account.copy()
        outcome = attempt(lambda: verb(self.account))
        if not isinstance(outcome, Reserved | Hold | Credit | Adjustment | PlanChange):
            untouched.advance(TARIFF, self.now)
            self.account.advance(TARIFF, self.now)
            assert state_of(self.account) == state_of(untouched)
        return outcome

    def figures(self, account: Account) -> dict[str, Figures]:
        now = account.advance(TARIFF, self.now)
        return {meter: figures(account, meter, TARIFF, now) for meter in METERS}

    # Holds.

    @rule(
        target=holds,
        amounts=amounts,
        life=lives,
        mode=st.sampled_from(Mode),
        overage=st.sampled_from(Overage),
    )
    def reserve(self, amounts: dict[str, int], life: timedelta, mode: Mode, overage: Overage) -> object:
        order = ReserveOrder("ann", self.new_id(), amounts, life, mode, overage)
        outcome = self.verb(lambda account: reserve(account, order, TARIFF, self.now))
        assert isinstance(outcome, Reserved) == self.model.reserve(order)
        return order if isinstance(outcome, Reserved) else multiple()

    @rule(order=holds, other=st.booleans())
    def reserve_again(self, order: ReserveOrder, other: bool) -> None:
        asked = replace(order, time_to_live=order.time_to_live + timedelta(seconds=1)) if other else order
        outcome = self.verb(lambda account: reserve(account, asked, TARIFF, self.now))
        if other:
            assert outcome == "REQUEST_ID_REUSED"
        else:
            assert isinstance(outcome, Reserved)
            assert outcome.hold == self.account.earlier_hold(order.id)

    @rule(order=holds, more=amounts, life=st.none() | lives, mode=st.sampled_from(Mode))
    def extend(self, order: ReserveOrder, more: dict[str, int], life: timedelta | None, mode: Mode) -> None:
        self.model.advance(self.now)
        box = self.model.boxes[order.id]
        totals = {meter: box.total(meter) + more[meter] - 1 for meter in more if meter in box.parts}
        wish = ExtendOrder("ann", order.id, totals, life, mode)
        live = box.state == "held"
        outcome = self.verb(lambda account: extend(account, wish, TARIFF, self.now))
        if not live:
            assert outcome == "HOLD_RESOLVED"
        else:
            assert isinstance(outcome, Reserved) == self.model.extend(wish)

    @rule(order=holds, charged=st.dictionaries(meters, st.integers(0, 9), min_size=1, max_size=3), exact=st.booleans())
    def settle(self, order: ReserveOrder, charged: dict[str, int], exact: bool) -> None:
        self.model.advance(self.now)
        box = self.model.boxes[order.id]
        charges = {meter: box.total(meter) if exact else charged.get(meter, 0) for meter in box.parts}
        wish = SettleOrder("ann", order.id, charges)
        before = self.store.holds.get(order.id) or self.account.earlier_hold(order.id)
        live = box.state == "held"
        outcome = self.verb(lambda account: settle(account, wish, TARIFF, self.now))
        if not live:
            assert before is not None
            again = box.state == "settled" and outcome == self.account.hold(order.id)
            assert again or outcome == "HOLD_RESOLVED"
        elif box.overage is Overage.REFUSED and any(charges[meter] > box.total(meter) for meter in charges):
            assert outcome == "AMOUNT_EXCEEDS_HOLD"
        else:
            self.model.settle(wish)
            assert isinstance(outcome, Hold)
            assert self.verb(lambda account: settle(account, wish, TARIFF, self.now)) == outcome

    @rule(order=holds, by_operator=st.booleans())
    def give_back(self, order: ReserveOrder, by_operator: bool) -> None:
        self.model.advance(self.now)
        state = self.model.boxes[order.id].state

        def verb(account: Account) -> Hold:
            if by_operator:
                return void(account, order.id, "olga", "stuck", TARIFF, self.now)
            return release(account, order.id, TARIFF, self.now)

        outcome = self.verb(verb)
        if state == "held":
            self.model.give_back(order.id, "voided" if by_operator else "released")
        stays = {"held", "voided"} if by_operator else {"held", "released", "expired", "voided"}
        assert isinstance(outcome, Hold) == (state in stays)
        assert isinstance(outcome, Hold) or outcome == "HOLD_RESOLVED"

    # Credit beside the plan.

    @rule(
        target=granted,
        meter=meters,
        amount=units,
        source=st.sampled_from([Source.PURCHASE, Source.PROMO]),
        priority=st.sampled_from([1, 100]),
        begins=times,
        lasts=times,
        rollover=st.integers(0, 3),
    )
    def grant(
        self,
        meter: str,
        amount: int,
        source: Source,
        priority: int,
        begins: timedelta | None,
        lasts: timedelta | None,
        rollover: int,
    ) -> object:
        start = self.now + begins if begins is not None else None
        expire = (start or self.now) + lasts if lasts is not None else None
        rolls = rollover if expire is not None else 0
        order = GrantOrder("ann", self.new_id(), meter, amount, source, priority, start, expire, rolls)
        outcome = self.verb(lambda account: grant(account, order, TARIFF, self.now))
        self.model.grant(order)
        assert isinstance(outcome, Credit)
        assert (outcome.id, outcome.amount) == (order.id, amount)
        return order

    @rule(order=granted, other=st.booleans())
    def grant_again(self, order: GrantOrder, other: bool) -> None:
        asked = replace(order, amount=order.amount + 1) if other else order
        outcome = self.verb(lambda account: grant(account, asked, TARIFF, self.now))
        assert outcome == ("REQUEST_ID_REUSED" if other else self.account.earlier_credit(order.id))

    @rule(target=adjustments, meter=meters, amount=st.integers(-9, 9).filter(bool))
    def adjust(self, meter: str, amount: int) -> object:
        return self.adjusted(AdjustOrder("ann", self.new_id(), meter, amount, AdjustmentReason.CORRECTION))

    @rule(target=adjustments, credit=granted, amount=st.integers(-9, 9).filter(bool))
    def adjust_credit(self, credit: GrantOrder, amount: int) -> object:
        reason = AdjustmentReason.REFUND
        return self.adjusted(AdjustOrder("ann", self.new_id(), credit.meter, amount, reason, credit.id))

    def adjusted(self, order: AdjustOrder) -> AdjustOrder:
        outcome = self.verb(lambda account: adjust(account, order, TARIFF, self.now))
        self.model.adjust(order)
        assert isinstance(outcome, Adjustment)
        return order

    @rule(order=adjustments, other=st.booleans())
    def adjust_again(self, order: AdjustOrder, other: bool) -> None:
        asked = replace(order, amount=order.amount + 10) if other else order
        outcome = self.verb(lambda account: adjust(account, asked, TARIFF, self.now))
        assert outcome == ("REQUEST_ID_REUSED" if other else self.account.adjustments[order.id])

    @rule(credit=granted)
    def adjust_nothing(self, credit: GrantOrder) -> None:
        other = next(meter for meter in METERS if meter != credit.meter)
        for meter, named in ((other, credit.id), (credit.meter, UUID(int=0))):
            order = AdjustOrder("ann", self.new_id(), meter, 1, AdjustmentReason.REFUND, named)
            assert self.verb(partial(adjust, order=order, tariff=TARIFF, now=self.now)) == "CREDIT_NOT_FOUND"

    # Plans and zones.

    @rule(target=changes, chosen=st.sampled_from(PLANS), reset=st.booleans())
    def change_plan(self, chosen: Plan, reset: bool) -> object:
        return self.changed(chosen, reset)

    def changed(self, chosen: Plan, reset: bool) -> PlanOrder:
        order = PlanOrder("ann", self.new_id(), chosen.name, reset)
        before = self.model.plan
        outcome = self.verb(lambda account: set_plan(account, order, TARIFF, self.now))
        self.model.set_plan(order)
        assert outcome == PlanChange(order.id, chosen.name, before, self.now, order.fingerprint)
        return order

    @rule(order=changes, other=st.booleans())
    def change_plan_again(self, order: PlanOrder, other: bool) -> None:
        asked = replace(order, reset=not order.reset) if other else order
        outcome = self.verb(lambda account: set_plan(account, asked, TARIFF, self.now))
        assert outcome == ("REQUEST_ID_REUSED" if other else self.account.plan_changes[order.id])

    @rule(zone=st.sampled_from(ZONES))
    def move(self, zone: str) -> None:
        self.model.advance(self.now)
        set_time_zone(self.account, zone, TARIFF, self.now)
        self.model.set_time_zone(zone)

    # Time and the store.

    @rule(
        wait=st.one_of(
            st.integers(1, 59).map(lambda minutes: timedelta(minutes=minutes)),
            st.integers(1, 30).map(lambda hours: timedelta(hours=hours)),
            st.integers(1, 70).map(lambda days: timedelta(days=days)),
        )
    )
    def wait(self, wait: timedelta) -> None:
        self.now += wait

    @rule()
    @precondition(lambda self: self.account.due > self.now)
    def wait_until_something_is_due(self) -> None:
        self.now = min(self.account.due, self.now + timedelta(days=70))

    @rule()
    def flush(self) -> None:
        self.store.write(self.account, flush(self.account, TARIFF, self.now))

    @rule(amounts=amounts)
    def reload(self, amounts: dict[str, int]) -> None:
        """An account that is read anew stands and decides as the one in memory does."""
        self.store.write(self.account, flush(self.account, TARIFF, self.now))
        kept, self.account = self.account, self.store.read()
        assert self.figures(self.account.copy()) == self.figures(kept.copy())
        order = ReserveOrder("ann", UUID(int=0), amounts, timedelta(hours=1), Mode.BEST_EFFORT)
        decided = [reserve(one.copy(), order, TARIFF, self.now) for one in (kept, self.account)]
        assert decided[0] == decided[1]

    @rule(amounts=amounts, chosen=st.sampled_from(PLANS), wait=st.integers(0, 70))
    def throw_away(self, amounts: dict[str, int], chosen: Plan, wait: int) -> None:
        """What is done to a copy is not done to the account."""
        before = state_of(self.account)
        twin = self.account.copy()
        reserve(twin, ReserveOrder("ann", UUID(int=0), amounts, timedelta(days=1)), TARIFF, self.now)
        for hold in list(twin.holds.values()):
            settle(twin, SettleOrder("ann", hold.id, {hold.lines[0].meter: 1}), TARIFF, self.now)
        grant(twin, GrantOrder("ann", UUID(int=0), "chat", 3, Source.ADMIN), TARIFF, self.now)
        set_plan(twin, PlanOrder("ann", UUID(int=0), chosen.name), TARIFF, self.now)
        set_time_zone(twin, "Asia/Kathmandu", TARIFF, self.now)
        twin.advance(TARIFF, self.now + timedelta(days=wait))
        flush(twin, TARIFF, self.now + timedelta(days=wait))
        assert state_of(self.account) == before

    # What holds after each step.

    @invariant()
    def it_stands_as_the_model_does(self) -> None:
        self.model.advance(self.now)
        stands = self.figures(self.account)
        assert {meter: (one.limit is None, one.remaining, one.held) for meter, one in stands.items()} == {
            meter: (self.model.unlimited(meter), self.model.remaining(meter), self.model.kept(meter))
            for meter in METERS
        }

    @invariant()
    def holds_are_as_far_as_the_model_s(self) -> None:
        known = {**self.store.holds, **self.account.changes.holds}
        assert {key: self.told(one) for key, one in known.items()} == {
            key: (
                box.state,
                {
                    meter: (
                        box.total(meter),
                        box.settled.get(meter, 0),
                        box.uncovered.get(meter, 0),
                    )
                    for meter in box.parts
                },
            )
            for key, box in self.model.boxes.items()
        }

    @staticmethod
    def told(hold: Hold) -> tuple[str, dict[str, tuple[int, int, int]]]:
        held = {line.meter: max(line.amount, line.settled) for line in hold.lines}
        return hold.state.value, {line.meter: (held[line.meter], line.settled, line.uncovered) for line in hold.lines}

    def read_books(self) -> Books:
        entries = [*self.store.entries, *self.account.changes.entries]
        for entry in entries[self.entries_taken :]:
            self.books.take(entry)
        self.entries_taken = len(entries)
        return self.books

    @invariant()
    def the_books_balance(self) -> None:
        books = self.read_books()
        assert self.account.number == self.entries_taken
        for meter in METERS:
            assert sum(books.totals[meter, book] for book in Book) == 0
            assert self.account.balance(meter) == books.totals[meter, Book.AVAILABLE]

    @invariant()
    def a_credit_s_balance_is_the_sum_of_its_entries(self) -> None:
        books = self.read_books()
        known = {**self.store.credits, **self.account.changes.credits}
        for credit in known.values():
            assert credit.balance == books.credits[credit.id]
            assert credit.live or credit.balance == 0

    @invariant()
    def nothing_is_below_zero_but_what_was_adjusted(self) -> None:
        for credit in self.account.credits.values():
            assert credit.adjusted or credit.unlimited or self.account.left(credit) >= 0

    @invariant()
    def what_remains_is_what_open_credits_have_left(self) -> None:
        for meter, stand in self.figures(self.account).items():
            lots = self.account.lots(meter, TARIFF, self.account.time)
            left = sum(self.account.left(credit) for credit in lots if not credit.unlimited)
            assert stand.remaining == (0 if stand.limit is None else left)


CreditMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
TestCredit = CreditMachine.TestCase
