"""What a test asks of a reconciliation, and what it finds kept afterwards."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from runtime.postgres import Pool
from services.billing_svc.domain.drift import Drift, DriftKind, Finished, Progress, Scope, Told
from services.billing_svc.domain.effect import grant_id
from services.billing_svc.domain.payment import Payment
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store import Books


async def told(reconciling: Reconciling, scope: Scope | None = None) -> list[Told]:
    """All that a reconciliation tells but its progress."""
    async with aclosing(reconciling.events(scope or Scope())) as events:
        return [one async for one in events if not isinstance(one, Progress)]


async def drifts(reconciling: Reconciling, scope: Scope | None = None) -> list[Drift]:
    """What a reconciliation that finishes finds."""
    *found, last = await told(reconciling, scope)
    assert isinstance(last, Finished)
    assert (last.drifts, last.repaired) == (len(found), sum(isinstance(one, Drift) and one.repaired for one in found))
    return [one for one in found if isinstance(one, Drift)]


async def kinds(reconciling: Reconciling, scope: Scope | None = None) -> list[tuple[DriftKind, str, bool]]:
    """The kinds of drift, what differs, and whether it was repaired."""
    return [(one.kind, one.id, one.repaired) for one in await drifts(reconciling, scope)]


async def plan(connections: Pool, user: str = "ann") -> str:
    """The plan that is kept of a user."""
    found: str | None = await connections.fetchval("SELECT plan FROM subscriptions WHERE user_id = $1", user)
    return found or "free"


async def standing(books: Books, user: str = "ann") -> list[tuple[str, str]]:
    """The agreements that are kept of a user."""
    return [(one.id, one.state.value) for one in await books.agreements(user)]


def grant(payment: Payment) -> str:
    """The id of what the payment's only line gives."""
    return str(grant_id(payment.provider.value, f"{payment.id}/{payment.lines[0].id}"))


def refunded(payment: Payment, cents: int) -> Payment:
    return replace(payment, refunded=cents)
