"""What is kept here beside what the others say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.drift import Account, Drift, DriftKind, Entered, Given
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import FREE, Catalogue

NOTHING = "nothing"
NOBODY = "nobody of ours"

# A payment stays with the user that it was charged to, and a line that is kept stays as it is: what is kept of them is
# not what the provider says today. The address of a receipt changes without a meaning.
UNCOMPARED = frozenset({"user", "lines", "url"})


@dataclass(frozen=True)
class Ours:
    """What is kept of some agreements and payments, by the provider's ids.

    `newer` are the ids of what was read from the provider after the comparison began, for whatever other reason: what
    it said in the comparison may be older.
    """

    agreements: Mapping[str, Agreement]
    payments: Mapping[str, Payment]
    newer: frozenset[str] = frozenset()


def differences(facts: Facts, ours: Ours) -> Iterator[Drift]:
    """Where the provider says something else."""
    for agreement in facts.agreements:
        if agreement.id not in ours.newer:
            yield from _agreement(agreement, ours.agreements.get(agreement.id))
    for payment in facts.payments:
        if payment.id not in ours.newer:
            yield from _payment(payment, ours.payments.get(payment.id))


def gone(ours: Agreement) -> Drift:
    """An agreement of ours that the provider does not know."""
    return Drift(DriftKind.AGREEMENT_GONE, ours.user, ours.id, _standing(ours), NOTHING)


def ended(ours: Agreement) -> Agreement:
    """An agreement of ours as it is once its provider does not know it."""
    return replace(ours, state=State.EXPIRED)


def plan_difference(account: Account, theirs: str, catalogue: Catalogue) -> Drift | None:
    """Where quota_svc has another plan. What is no longer on offer is the free plan there."""
    if not account.told or theirs == (account.plan if catalogue.plan(account.plan) else FREE):
        return None
    return Drift(DriftKind.PLAN_DIFFERS, account.user, f"users/{account.user}/quota", account.plan, theirs)


def credit_difference(given: Given, entered: Entered) -> Drift | None:
    """Where quota_svc's ledger lacks a grant, or what was taken back of one."""
    if not given.told or entered == Entered(given.credits, given.reclaimed):
        return None
    ours = _credits(Entered(given.credits, given.reclaimed))
    return Drift(DriftKind.CREDIT_MISSING, given.user, str(given.grant), ours, _credits(entered))


def _agreement(theirs: Agreement, ours: Agreement | None) -> Iterator[Drift]:
    if not theirs.user:
        kept = f"users/{ours.user}" if ours else NOTHING
        yield Drift(DriftKind.OWNER_UNKNOWN, ours.user if ours else "", theirs.id, kept, NOBODY)
    elif ours is None:
        yield Drift(DriftKind.AGREEMENT_UNKNOWN, theirs.user, theirs.id, NOTHING, _standing(theirs))
    else:
        # The payments say until when it is revoked, and that there was a trial is never forgotten.
        said = replace(theirs, revoked_until=ours.revoked_until, trial=ours.trial or theirs.trial)
        if names := _differing(ours, said):
            words = _words(ours, names), _words(said, names)
            yield Drift(DriftKind.AGREEMENT_DIFFERS, theirs.user, theirs.id, *words)


def _payment(theirs: Payment, ours: Payment | None) -> Iterator[Drift]:
    if not theirs.user:
        kept = f"users/{ours.user}" if ours else NOTHING
        yield Drift(DriftKind.OWNER_UNKNOWN, ours.user if ours else "", theirs.id, kept, NOBODY)
    elif ours is None:
        yield Drift(DriftKind.PAYMENT_UNKNOWN, theirs.user, theirs.id, NOTHING, _charge(theirs))
    else:
        names = [name for name in _differing(ours, theirs) if name not in UNCOMPARED]
        unknown = sorted({line.id for line in theirs.lines} - {line.id for line in ours.lines})
        if names or unknown:
            lines = f"lines {', '.join(unknown)}" if unknown else ""
            words = _joined(_words(ours, names)), _joined(_words(theirs, names), lines)
            yield Drift(DriftKind.PAYMENT_DIFFERS, ours.user, theirs.id, *words)


def _differing(ours: Agreement | Payment, theirs: Agreement | Payment) -> list[str]:
    return [one.name for one in fields(ours) if getattr(ours, one.name) != getattr(theirs, one.name)]


def _standing(one: Agreement) -> str:
    return f"{one.plan}, {one.state.value} until {_word(one.period_end)}"


def _charge(one: Payment) -> str:
    return f"{one.state.value}, {_words(one, ['cents', 'currency', 'refunded', 'disputed'])}"


def _credits(entered: Entered) -> str:
    if entered.credits is None:
        return NOTHING
    return f"{entered.credits} credits, {entered.reclaimed} taken back"


def _words(one: Agreement | Payment, names: list[str]) -> str:
    return ", ".join(f"{name} {_word(getattr(one, name))}" for name in names)


def _word(value: object) -> str:
    match value:
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part) or NOTHING
