"""Which deliveries belong together: those that share a subject, and those that share one with these."""

from __future__ import annotations

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery, History

# A buyer whom several names were given, and who passed purchases on, is reached in a few rounds; ten years of weekly
# renewals are some thousand deliveries.
ROUNDS_MAX = 16
DELIVERIES_MAX = 10_000


async def reached(history: History, provider: Provider, delivery: Delivery) -> list[Delivery]:
    """Everything that is to be folded with a delivery, each once.

    FailedPrecondition (HISTORY_TOO_LONG) where it is more than anybody's purchases can be: a name that many share.
    """
    found = {delivery.event_id: delivery}
    asked: set[str] = set()
    wanted = set(delivery.subjects)
    for _ in range(ROUNDS_MAX):
        if not wanted:
            return list(found.values())
        for one in await history.about(provider, sorted(wanted)):
            found[one.event_id] = one
        if len(found) > DELIVERIES_MAX:
            break
        asked |= wanted
        wanted = {subject for one in found.values() for subject in one.subjects} - asked
    raise FailedPrecondition("Too many deliveries hang together by their buyers' names.", reason="HISTORY_TOO_LONG")
