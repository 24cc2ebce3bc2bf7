"""Histories of agreements and payments at a provider that lives in memory, as a run of what happens there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from tests.service.billing_svc.shop import MONTH, NOW, agreed, paid

CENTS = 1499
CREDITS = 20


@dataclass(frozen=True)
class Reading:
    """What the provider said at a moment of something; `number` is its fence."""

    number: int
    time: datetime
    facts: Facts


@dataclass
class Till:
    """A provider with two agreements, and the packs that were bought from it."""

    now: datetime = NOW
    agreements: dict[str, Agreement] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    def facts(self) -> Facts:
        """All there is."""
        return Facts(tuple(self.agreements.values()), tuple(self.payments.values()))

    @contextmanager
    def told(self) -> Iterator[None]:
        """What changes while the block runs is read once, alone."""
        before = {**self.agreements, **self.payments}
        yield
        changed = Facts(
            tuple(one for one in self.agreements.values() if before.get(one.id) != one),
            tuple(one for one in self.payments.values() if before.get(one.id) != one),
        )
        if changed.users:
            self.readings.append(Reading(len(self.readings) + 1, self.now, changed))

    def charge(self, agreement: Agreement, state: PaymentState) -> None:
        number = len(self.payments)
        start = agreement.period_end - MONTH
        line = Line(
            f"il_{number}", f"plans/{agreement.plan}", CENTS, Interval.MONTH, start, start + MONTH, False, CREDITS
        )
        self._pay(f"in_{number}", agreement, state, CENTS, (line,))

    def prorate(self, agreement: Agreement) -> None:
        number, end = len(self.payments), agreement.period_end
        rest = Line(f"il_{number}-rest", "plans/creator", -200, Interval.MONTH, self.now, end, True)
        new = Line(f"il_{number}-new", "plans/pro", 900, Interval.MONTH, self.now, end, True)
        self._pay(f"in_{number}", agreement, PaymentState.PAID, 700, (rest, new))

    def _pay(self, name: str, agreement: Agreement, state: PaymentState, cents: int, lines: tuple[Line, ...]) -> None:
        self.payments[name] = Payment(
            agreement.provider,
            name,
            "ann",
            state,
            cents,
            "usd",
            self.now,
            lines,
            agreement.id,
            failed=state is PaymentState.OPEN,
        )


def _begin(till: Till, name: str, amount: int) -> None:
    if name in till.agreements:
        return
    plan = ("creator", "pro")[amount % 2]
    state = (State.ACTIVE, State.TRIALING)[amount % 5 == 0]
    provider = Provider.REVENUECAT if name == "other" else Provider.STRIPE
    one = agreed("ann", plan, id=name, start=till.now, period_end=till.now + MONTH, state=state, provider=provider)
    till.agreements[name] = replace(one, trial=state is State.TRIALING)
    if state is State.ACTIVE:
        till.charge(one, PaymentState.PAID)


def _renew(till: Till, name: str, amount: int) -> None:
    one = till.agreements.get(name)
    if one is None or one.state is State.EXPIRED:
        return
    declined = amount % 3 == 0
    state = State.PAST_DUE if declined else State.ACTIVE
    grace = one.period_end + timedelta(days=7) if declined else None
    one = replace(one, state=state, period_end=one.period_end + MONTH, grace_end=grace, resume_time=None)
    till.agreements[name] = one
    till.charge(one, PaymentState.OPEN if declined else PaymentState.PAID)


def _settle(till: Till, name: str, amount: int) -> None:
    """What is open is paid, or given up."""
    one = till.agreements.get(name)
    if one is None or one.state is not State.PAST_DUE:
        return
    paid_up = amount % 3 > 0
    till.agreements[name] = replace(one, state=State.ACTIVE if paid_up else State.EXPIRED, grace_end=None)
    for payment in list(till.payments.values()):
        if payment.agreement == name and payment.state is PaymentState.OPEN:
            state = PaymentState.PAID if paid_up else PaymentState.VOID
            till.payments[payment.id] = replace(payment, state=state, failed=False)


def _turn(till: Till, name: str, amount: int) -> None:
    """The agreement is paused, resumed, cancelled, ended, or another plan's."""
    one = till.agreements.get(name)
    if one is None or one.state is State.EXPIRED:
        return
    match amount % 6:
        case 0:
            one = replace(one, state=State.PAUSED, resume_time=till.now + MONTH, grace_end=None)
        case 1:
            one = replace(one, state=State.ACTIVE, resume_time=None, grace_end=None)
        case 2:
            one = replace(one, state=State.CANCELLED, grace_end=None)
        case 3:
            one = replace(one, state=State.EXPIRED, grace_end=None)
        case 4 if one.plan == "creator":
            one = replace(one, plan="pro")
            till.prorate(one)
        case _:
            one = replace(one, next_plan="creator", next_interval=Interval.WEEK)
    till.agreements[name] = one


def _go_back(till: Till, name: str, amount: int) -> None:
    """Money goes back: some, all, by the bank, or the bank changes its mind."""
    mine = [one for one in till.payments.values() if (one.agreement or "packs") == name]
    if not mine:
        return
    one = mine[amount % len(mine)]
    if one.state is PaymentState.PAID:
        refunded = min(one.cents, one.refunded + amount * 75)
        changed = replace(one, disputed=not one.disputed) if amount % 4 == 0 else replace(one, refunded=refunded)
        till.payments[one.id] = changed


def _pack(till: Till, name: str, amount: int) -> None:
    number = len(till.payments)
    till.payments[f"pi_{number}"] = paid("ann", "packs/small", id=f"pi_{number}", time=till.now)


HAPPENINGS: dict[str, Callable[[Till, str, int], None]] = {
    "begin": _begin,
    "renew": _renew,
    "settle": _settle,
    "turn": _turn,
    "go back": _go_back,
    "pack": _pack,
}


@st.composite
def tills(draw: st.DrawFn) -> Till:
    """A provider at which something has happened, with a reading after each happening."""
    till = Till()
    with till.told():
        _begin(till, "main", draw(st.integers(0, 9)))
    steps = st.tuples(
        st.sampled_from(sorted(HAPPENINGS)), st.sampled_from(["main", "other"]), st.integers(0, 40), st.integers(0, 40)
    )
    for happening, name, amount, days in draw(st.lists(steps, min_size=1, max_size=12)):
        till.now += timedelta(days=days, hours=1)
        concerned = "packs" if happening == "pack" or (happening == "go back" and amount % 7 == 0) else name
        with till.told():
            HAPPENINGS[happening](till, concerned, amount)
    return till


@st.composite
def deliveries(draw: st.DrawFn, till: Till, *, lossless: bool) -> list[Reading]:
    """The readings as they arrive: some come twice, all in any order, and any may be lost unless it is `lossless`."""
    sent = draw(st.lists(st.sampled_from(till.readings), max_size=2 * len(till.readings)))
    return draw(st.permutations([*till.readings, *sent] if lossless else sent))
