"""Whatever becomes of the messages on their way, what is kept is what the provider says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.postgres import Pool
from services.billing_svc.keeping import Keeping
from tests.service.billing_svc.histories import Reading, Till, deliveries, tills
from tests.service.billing_svc.shop import NOW, Clock

TABLES = "payment_lines, payments, agreements, subscriptions, effects, outbox"


async def kept(
    connections: Pool, keeping: Keeping, clock: Clock, till: Till, readings: Iterable[Reading], *, reconciled: bool
) -> dict[str, Any]:
    """What stands in the books after the readings came in and, if it is so wished, everything was read again."""
    await connections.execute(f"TRUNCATE {TABLES}")
    clock.now = NOW
    for reading in readings:
        clock.now = max(clock.now, reading.time)
        await keeping.keep(reading.facts, reading.number)
    clock.now = till.now
    if reconciled:
        await keeping.keep(till.facts(), len(till.readings) + 1)
    await keeping.look("ann")
    return {
        "subscriptions": await _rows(
            connections, "SELECT user_id, plan, state, provider, agreement, due_time FROM subscriptions"
        ),
        "agreements": await _rows(connections, "SELECT * FROM agreements ORDER BY id"),
        "payments": await _rows(connections, "SELECT * FROM payments ORDER BY id"),
        "lines": await _rows(
            connections,
            "SELECT payment, id, article, cents, credits, grant_id, reclaimed FROM payment_lines ORDER BY payment, id",
        ),
        "ledger": await _ledger(connections),
    }


async def _rows(connections: Pool, query: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "fence"} for row in await connections.fetch(query)]


async def _ledger(connections: Pool) -> dict[str, Any]:
    """What quota_svc has been told in the end: the plan, and of every grant what is left of it."""
    plan, given = "free", {}
    for row in await connections.fetch("SELECT id, kind, content FROM effects ORDER BY number"):
        content = json.loads(row["content"])
        match row["kind"]:
            case "plan":
                plan = content["plan"]
            case "grant":
                given[str(row["id"])] = content["credits"]
            case "adjust":
                given[content["grant"]] += content["credits"]
    return {"plan": plan, "credits": given}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_disorder_and_loss_ends_as_it_would_have_once_everything_is_read_again(
    connections: Pool, keeping: Keeping, clock: Clock, data: st.DataObject
) -> None:
    till = data.draw(tills())
    in_order = await kept(connections, keeping, clock, till, till.readings, reconciled=True)
    arrived = data.draw(deliveries(till, lossless=False))
    assert await kept(connections, keeping, clock, till, arrived, reconciled=True) == in_order
    assert in_order["ledger"] == _owed(in_order)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_disorder_without_loss_ends_as_it_would_have(
    connections: Pool, keeping: Keeping, clock: Clock, data: st.DataObject
) -> None:
    till = data.draw(tills())
    in_order = await kept(connections, keeping, clock, till, till.readings, reconciled=False)
    arrived = data.draw(deliveries(till, lossless=True))
    assert await kept(connections, keeping, clock, till, arrived, reconciled=False) == in_order
    assert in_order["ledger"] == _owed(in_order)


def _owed(books: dict[str, Any]) -> dict[str, Any]:
    """What quota_svc should have been told, by what stands in the books."""
    (subscription,) = books["subscriptions"]
    held = {str(row["grant_id"]): row["credits"] - row["reclaimed"] for row in books["lines"] if row["grant_id"]}
    return {"plan": subscription["plan"], "credits": held}
