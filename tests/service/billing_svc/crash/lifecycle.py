"""What the provider says of a user at each stage of their life, and what must have come of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import FREE, Interval, Provider

STAGES = 8

# All of it is to come, so that time alone changes nothing.
BEGIN = datetime(2100, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)

PLANS = ("creator", "pro", "pro", "creator")
# In force but for the last one.
STATES = (State.ACTIVE, State.ACTIVE, State.PAST_DUE, State.ACTIVE, State.CANCELLED, State.ACTIVE, State.EXPIRED)

INVOICE_EVERY, PACK_EVERY = 2, 3


def facts(user: str, stage: int) -> Facts:
    """Everything that the provider says: an agreement that is now so and now so, ever more invoices and packs."""
    return Facts((_agreement(user, stage),), (*_invoices(user, stage), *_packs(user, stage)))


def plan(stage: int) -> str:
    """The plan that a user is on in the end."""
    state = STATES[stage % len(STATES)]
    return FREE if state is State.EXPIRED else PLANS[stage % len(PLANS)]


def credits_left(user: str, stage: int) -> int:
    """What was given to a user, less what was taken back."""
    payments = [payment for payment in facts(user, stage).payments if payment.state is PaymentState.PAID]
    return sum(line.credits - payment.reclaimed(line) for payment in payments for line in payment.lines)


def _agreement(user: str, stage: int) -> Agreement:
    return Agreement(
        provider=Provider.STRIPE,
        id=f"sub_{user}",
        user=user,
        plan=PLANS[stage % len(PLANS)],
        interval=Interval.MONTH,
        state=STATES[stage % len(STATES)],
        start=BEGIN,
        period_end=BEGIN + MONTH * (stage + 1),
        grace_end=BEGIN + MONTH * (stage + 2),
        customer=f"cus_{user}",
    )


def _invoices(user: str, stage: int) -> Iterator[Payment]:
    """Each fails at first and is paid then, and half of every other one goes back later."""
    for number in range(stage // INVOICE_EVERY + 1):
        age = stage - number * INVOICE_EVERY
        begin = BEGIN + MONTH * number
        yield Payment(
            provider=Provider.STRIPE,
            id=f"in_{user}_{number}",
            user=user,
            state=PaymentState.PAID if age else PaymentState.OPEN,
            cents=1499,
            currency="usd",
            time=begin,
            lines=(Line("il", "plans/pro", 1499, Interval.MONTH, begin, begin + MONTH, credits=20),),
            agreement=f"sub_{user}",
            refunded=750 if number % 2 and age > INVOICE_EVERY else 0,
            failed=not age,
        )


def _packs(user: str, stage: int) -> Iterator[Payment]:
    """Every other one is disputed in the end, some after a part of the money went back."""
    for number in range(stage // PACK_EVERY):
        age = stage - number * PACK_EVERY
        yield Payment(
            provider=Provider.STRIPE,
            id=f"pi_{user}_{number}",
            user=user,
            state=PaymentState.PAID,
            cents=499,
            currency="usd",
            time=BEGIN,
            lines=(Line("pack", "packs/small", 499, credits=100),),
            refunded=100 if number % 3 == 1 and age > PACK_EVERY + 1 else 0,
            disputed=number % 2 == 1 and age > PACK_EVERY + 2,
        )
