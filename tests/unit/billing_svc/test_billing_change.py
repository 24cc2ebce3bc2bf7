from typing import Any

import pytest

from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.change import (
    Declined,
    Kind,
    Paid,
    Returned,
    payment_changes,
    starts_anew,
    subscription_changes,
)
from services.billing_svc.domain.payment import PaymentState
from services.billing_svc.domain.plan import Provider
from services.billing_svc.domain.subscription import Subscription
from tests.service.billing_svc.shop import CATALOGUE, agreed, paid

FREE = Subscription("ann")


def has(plan: str = "pro", state: State = State.ACTIVE, gives: str | None = None, **others: Any) -> Subscription:
    """A subscription that one agreement gives; `gives` is its plan where that is another one by now."""
    return Subscription("ann", gives or plan, state, agreed(plan=plan, state=state, **others))


UNPAID = has("pro", State.PAST_DUE, gives="free")
PAUSED = has("pro", State.PAUSED, gives="free")
CODE = has("pro", State.CANCELLED, id="code", provider=Provider.PROMO)
STORES = has("pro", id="rc_1", provider=Provider.REVENUECAT)


@pytest.mark.parametrize(
    ("before", "after", "kinds", "anew"),
    [
        (FREE, FREE, [], False),
        (FREE, has(), [Kind.CREATED], True),
        (FREE, has(state=State.TRIALING), [Kind.CREATED], True),
        (FREE, CODE, [Kind.CREATED], True),
        (CODE, FREE, [Kind.DOWNGRADED], False),
        (has(state=State.TRIALING), has(), [], False),
        (has("creator"), has("pro"), [Kind.UPGRADED], True),
        (has("creator"), CODE, [Kind.UPGRADED], True),
        (has("pro"), has("creator"), [Kind.DOWNGRADED], False),
        (has(), has(state=State.CANCELLED), [Kind.CANCELLED], False),
        (has(state=State.CANCELLED), FREE, [Kind.DOWNGRADED], False),
        (has(state=State.CANCELLED), has(), [Kind.RESUMED], False),
        (has(state=State.CANCELLED), STORES, [], False),
        (has(), FREE, [Kind.CANCELLED, Kind.DOWNGRADED], False),
        (has(), has(state=State.PAUSED), [Kind.PAUSED], False),
        (has(state=State.PAUSED), PAUSED, [Kind.DOWNGRADED], False),
        (PAUSED, has(), [Kind.RESUMED], False),
        (PAUSED, STORES, [Kind.CREATED], True),
        (has(), has(state=State.PAST_DUE), [], False),
        (has(state=State.PAST_DUE), UNPAID, [Kind.DOWNGRADED], False),
        (UNPAID, has(), [], False),
        (UNPAID, STORES, [Kind.CREATED], True),
        (has("creator", State.PAST_DUE), has("pro"), [Kind.UPGRADED], True),
    ],
    ids=str,
)
def test_what_changes_is_told_by_its_name(
    before: Subscription, after: Subscription, kinds: list[Kind], anew: bool
) -> None:
    assert [one.kind for one in subscription_changes(before, after, CATALOGUE)] == kinds  # type: ignore[union-attr]
    assert starts_anew(before, after, CATALOGUE) is anew


OPEN = paid(state=PaymentState.OPEN)
FAILED = paid(state=PaymentState.OPEN, failed=True)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, paid(), [Paid(paid())]),
        (paid(), paid(), []),
        (None, OPEN, []),
        (OPEN, paid(), [Paid(paid())]),
        (OPEN, FAILED, [Declined(FAILED)]),
        (FAILED, FAILED, []),
        (FAILED, paid(), [Paid(paid())]),
        (FAILED, paid(state=PaymentState.VOID), []),
        (None, paid(cents=0), []),
        (paid(), paid(refunded=500), [Returned(paid(refunded=500), 500)]),
        (paid(refunded=500), paid(refunded=1499), [Returned(paid(refunded=1499), 999)]),
        (paid(refunded=500), paid(refunded=500, disputed=True), [Returned(paid(refunded=500, disputed=True), 999)]),
        (paid(disputed=True), paid(), []),
        (None, paid(refunded=500), [Paid(paid(refunded=500)), Returned(paid(refunded=500), 500)]),
    ],
    ids=str,
)
def test_what_becomes_of_a_payment_is_told_once(before: Any, after: Any, told: list[Any]) -> None:
    assert list(payment_changes(before, after)) == told
