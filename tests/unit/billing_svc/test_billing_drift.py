"""What differs between what is kept and what the others say."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.billing_svc.convert.drifts import KINDS, event_to_proto
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.drift import Account, Drift, DriftKind, Entered, Given, Progress
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Catalogue, Interval, Plan, Price, Provider
from services.billing_svc.reconciling.comparing import (
    Ours,
    credit_difference,
    differences,
    ended,
    gone,
    plan_difference,
)
from services.billing_svc.reconciling.pacing import paced
from services.billing_svc.reconciling.seen import Seen

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AGREEMENT = Agreement(
    Provider.STRIPE, "sub_1", "ann", "pro", Interval.MONTH, State.ACTIVE, NOW, NOW + timedelta(days=30)
)
LINE = Line("il_1", "plans/pro", 1499, Interval.MONTH, NOW, NOW + timedelta(days=30), credits=20)
PAYMENT = Payment(Provider.STRIPE, "in_1", "ann", PaymentState.PAID, 1499, "USD", NOW, (LINE,), "sub_1")
CATALOGUE = Catalogue(
    (Plan("free", "Free", (), (), 12_000), Plan("pro", "Pro", (Price(Interval.MONTH, 1499),), (), 64_000))
)
GIVEN = Given(
    "ann", Provider.STRIPE, "in_1", "il_1", UUID(int=1), 20, reclaimed=5, adjustments=1, disputed=False, told=True
)


def found(facts: Facts, ours: Ours) -> list[tuple[DriftKind, str, str, str]]:
    return [(one.kind, one.id, one.ours, one.theirs) for one in differences(facts, ours)]


def kept(*values: Agreement | Payment, newer: frozenset[str] = frozenset()) -> Ours:
    return Ours(
        {one.id: one for one in values if isinstance(one, Agreement)},
        {one.id: one for one in values if isinstance(one, Payment)},
        newer,
    )


BOTH = Facts((AGREEMENT,), (PAYMENT,))


def test_the_same_is_no_drift() -> None:
    assert found(BOTH, kept(AGREEMENT, PAYMENT)) == []


def test_what_is_kept_nowhere_is_unknown() -> None:
    assert found(BOTH, kept()) == [
        (DriftKind.AGREEMENT_UNKNOWN, "sub_1", "nothing", "pro, active until 2026-12-21T12:00:00+00:00"),
        (DriftKind.PAYMENT_UNKNOWN, "in_1", "nothing", "paid, cents 1499, currency USD, refunded 0, disputed no"),
    ]


def test_what_was_read_later_is_not_compared() -> None:
    other = replace(AGREEMENT, state=State.PAUSED), replace(PAYMENT, refunded=1)
    assert found(BOTH, kept(*other, newer=frozenset({"sub_1", "in_1"}))) == []


@pytest.mark.parametrize(
    ("change", "ours", "theirs"),
    [
        ({"state": State.PAUSED}, "state active", "state paused"),
        ({"resume_time": NOW}, "resume_time none", "resume_time 2026-11-21T12:00:00+00:00"),
        ({"plan": "creator", "interval": Interval.WEEK}, "plan pro, interval month", "plan creator, interval week"),
        ({"next_plan": "creator"}, "next_plan none", "next_plan creator"),
        ({"user": "bob"}, "user ann", "user bob"),
        ({"trial": True}, "trial no", "trial yes"),
    ],
)
def test_an_agreement_differs_in_what_its_provider_says(change: dict[str, object], ours: str, theirs: str) -> None:
    said = replace(AGREEMENT, **change)  # type: ignore[arg-type]
    assert found(Facts((said,)), kept(AGREEMENT)) == [(DriftKind.AGREEMENT_DIFFERS, "sub_1", ours, theirs)]


@pytest.mark.parametrize("change", [{"revoked_until": NOW}, {"trial": True}])
def test_what_only_we_know_of_an_agreement_is_no_drift(change: dict[str, object]) -> None:
    ours = replace(AGREEMENT, **change)  # type: ignore[arg-type]
    assert found(Facts((AGREEMENT,)), kept(ours)) == []


@pytest.mark.parametrize(
    ("change", "ours", "theirs"),
    [
        ({"disputed": True}, "disputed no", "disputed yes"),
        ({"state": PaymentState.VOID, "failed": True}, "state paid, failed no", "state void, failed yes"),
        ({"lines": (LINE, replace(LINE, id="il_2"))}, "nothing", "lines il_2"),
        ({"refunded": 9, "lines": (replace(LINE, id="il_2"),)}, "refunded 0", "refunded 9, lines il_2"),
    ],
)
def test_a_payment_differs_in_what_can_be_kept_of_it(change: dict[str, object], ours: str, theirs: str) -> None:
    said = replace(PAYMENT, **change)  # type: ignore[arg-type]
    assert found(Facts(payments=(said,)), kept(PAYMENT)) == [(DriftKind.PAYMENT_DIFFERS, "in_1", ours, theirs)]


@pytest.mark.parametrize("change", [{"user": "bob"}, {"url": "https://elsewhere"}, {"lines": ()}])
def test_what_stays_as_it_was_charged_is_no_drift(change: dict[str, object]) -> None:
    said = replace(PAYMENT, **change)  # type: ignore[arg-type]
    assert found(Facts(payments=(said,)), kept(PAYMENT)) == []


def test_what_names_nobody_of_ours_has_an_unknown_owner() -> None:
    said = Facts((replace(AGREEMENT, user=""),), (replace(PAYMENT, user=""),))
    assert found(said, kept(AGREEMENT)) == [
        (DriftKind.OWNER_UNKNOWN, "sub_1", "users/ann", "nobody of ours"),
        (DriftKind.OWNER_UNKNOWN, "in_1", "nothing", "nobody of ours"),
    ]


def test_an_agreement_that_is_gone_ends_as_it_stood() -> None:
    assert gone(AGREEMENT) == Drift(
        DriftKind.AGREEMENT_GONE, "ann", "sub_1", "pro, active until 2026-12-21T12:00:00+00:00", "nothing"
    )
    assert ended(AGREEMENT) == replace(AGREEMENT, state=State.EXPIRED)


@pytest.mark.parametrize(
    ("account", "theirs", "differs"),
    [
        (Account("ann", "pro", told=True), "pro", False),
        (Account("ann", "pro", told=True), "free", True),
        (Account("ann", "free", told=True), "pro", True),
        (Account("ann", "pro", told=False), "free", False),
        (Account("ann", "off-the-shelf", told=True), "free", False),
        (Account("ann", "off-the-shelf", told=True), "pro", True),
    ],
)
def test_plans_differ_unless_a_change_is_on_its_way(account: Account, theirs: str, differs: bool) -> None:
    assert (plan_difference(account, theirs, CATALOGUE) is not None) is differs


@pytest.mark.parametrize(
    ("given", "entered", "words"),
    [
        (GIVEN, Entered(20, 5), None),
        (GIVEN, Entered(), ("20 credits, 5 taken back", "nothing")),
        (GIVEN, Entered(20, 0), ("20 credits, 5 taken back", "20 credits, 0 taken back")),
        (GIVEN, Entered(20, 9), ("20 credits, 5 taken back", "20 credits, 9 taken back")),
        (replace(GIVEN, told=False), Entered(), None),
    ],
)
def test_credits_differ_unless_something_about_them_is_on_its_way(
    given: Given, entered: Entered, words: tuple[str, str] | None
) -> None:
    drift = credit_difference(given, entered)
    assert (drift and (drift.ours, drift.theirs)) == words


def test_every_kind_has_its_word_in_the_contract() -> None:
    assert len(set(KINDS.values())) == len(DriftKind)
    for kind in DriftKind:
        event_to_proto(Drift(kind, "ann", "sub_1", "ours", "theirs"))


def test_what_was_seen_is_seen_and_little_else_is() -> None:
    seen = Seen(b"salt")
    for number in range(20_000):
        seen.add(f"sub_{number}")
    assert all(f"sub_{number}" in seen for number in range(20_000))
    assert sum(f"other_{number}" in seen for number in range(20_000)) < 5


async def test_a_pause_in_a_stream_is_filled_with_signs_of_life() -> None:
    going_on = asyncio.Event()
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[Progress, None]:
        try:
            yield Progress(1)
            await going_on.wait()
            yield Progress(2)
        finally:
            closed.set()

    told = []
    async with aclosing(paced(stream(), 0.001)) as events:
        async for one in events:
            told.append(one)
            if told[-2:] == [None, None]:
                going_on.set()
    assert (told[0], told[-1], set(told[1:-1])) == (Progress(1), Progress(2), {None})
    assert closed.is_set()


async def test_who_closes_a_paced_stream_closes_what_it_waits_for() -> None:
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[Progress, None]:
        try:
            yield Progress(1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with aclosing(paced(stream(), 0.001)) as events:
        assert [await anext(events), await anext(events)] == [Progress(1), None]
    assert closed.is_set()


async def test_a_paced_stream_fails_as_the_stream_does() -> None:
    async def stream() -> AsyncGenerator[Progress, None]:
        yield Progress(1)
        raise LookupError("gone")

    with pytest.raises(LookupError):
        async with aclosing(paced(stream(), 1)) as events:
            assert [one async for one in events] == []
