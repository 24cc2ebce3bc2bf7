"""What the other services hear of it: each event of what was committed, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from redis.asyncio import Redis

from runtime.events.envelope import opened
from runtime.postgres import Pool
from scenemesh.events.v1 import quota_pb2 as events_pb2
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.plans import Plans
from tests.harness import engines
from tests.service.quota_svc.desk import Clock, Desk, reason
from tests.service.quota_svc.replica import replica

PATIENCE_SECONDS = 90
KINDS: dict[str, type[Message]] = {
    "quota.updated": events_pb2.QuotaUpdated,
    "quota.low": events_pb2.QuotaLow,
    "quota.depleted": events_pb2.QuotaDepleted,
    "quota.reset": events_pb2.QuotaReset,
}


@pytest.fixture
async def bus() -> AsyncIterator[str]:
    """A Redis of the test's own."""
    with TemporaryDirectory() as directory:
        async with engines.valkey(Path(directory)) as url:
            yield url


@pytest.fixture
async def told_desk(certificates: Path, connections: Pool, bus: str, plans: Plans, clock: Clock) -> AsyncIterator[Desk]:
    async with replica(certificates, connections, bus, plans, clock) as desk:
        yield desk


@pytest.fixture
async def other_told_desk(
    certificates: Path, connections: Pool, bus: str, plans: Plans, clock: Clock
) -> AsyncIterator[Desk]:
    async with replica(certificates, connections, bus, plans, clock) as desk:
        yield desk


async def published(bus: str, connections: Pool) -> list[tuple[str, str, Message]]:
    """Everything in the stream, once the outbox is empty: type, subject, event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connections.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
            await asyncio.sleep(0.01)
    async with Redis.from_url(bus) as redis:
        entries: Any = await redis.xrange("events.quota")
    found = []
    for _, fields in entries:
        envelope = opened(fields[b"envelope"])
        event = KINDS[envelope.type]()
        assert envelope.data.Unpack(event)
        found.append((envelope.type, envelope.subject, event))
    return found


async def test_charges_are_told_with_the_soft_limit_and_the_end_once_each(
    told_desk: Desk, bus: str, connections: Pool
) -> None:
    desk = told_desk
    for _ in range(5):
        await desk.settle(await desk.hold(1), 1)
    await desk.release(await desk.hold(0 + 1, user="bob"))
    found = await published(bus, connections)
    assert [(kind, subject) for kind, subject, _ in found if subject == "users/ann"] == [
        # The allowance that the first hold opened, then the charges.
        *[("quota.updated", "users/ann")] * 5,
        ("quota.low", "users/ann"),
        ("quota.updated", "users/ann"),
        ("quota.depleted", "users/ann"),
    ]
    low = next(event for kind, _, event in found if kind == "quota.low")
    assert (low.used_percent, low.remaining) == (80, 1)  # type: ignore[attr-defined]
    newest = [event for kind, subject, event in found if (kind, subject) == ("quota.updated", "users/ann")][-1]
    assert newest == events_pb2.QuotaUpdated(meter="chat", remaining=0, entry="users/ann/entries/6")


async def test_the_end_of_a_period_that_was_drawn_on_is_told_by_the_sweep_once(
    told_desk: Desk, other_told_desk: Desk, bus: str, connections: Pool
) -> None:
    await told_desk.settle(await told_desk.hold(1), 1)
    told_desk.clock.forward(days=1)
    await asyncio.gather(told_desk.sweeping.sweep(), other_told_desk.sweeping.sweep())
    found = await published(bus, connections)
    resets = [event for kind, _, event in found if kind == "quota.reset"]
    assert resets == [events_pb2.QuotaReset(meter="chat", limit=5)]


async def test_what_was_refused_is_not_told(told_desk: Desk, bus: str, connections: Pool) -> None:
    assert (await reason(told_desk.reserve(6)))[1] == "QUOTA_EXHAUSTED"
    request = quota_pb2.BatchReserveRequest(
        requests=[told_desk.reserve_request(4) for _ in range(2)], all_or_nothing=True
    )
    assert (await reason(told_desk.chat.BatchReserve(request)))[1] == "QUOTA_EXHAUSTED"
    assert await published(bus, connections) == []


async def test_what_is_committed_while_redis_is_away_is_told_when_it_is_back(
    certificates: Path, connections: Pool, plans: Plans, clock: Clock
) -> None:
    with TemporaryDirectory() as directory:
        async with engines.valkey(Path(directory)) as url:
            lonely = replica(certificates, connections, url, plans, clock)
            desk = await lonely.__aenter__()
        try:
            for _ in range(3):
                await desk.grant(1)
            assert await connections.fetchval("SELECT count(*) FROM outbox") == 3
            async with engines.valkey(Path(directory)) as again:
                assert again == url
                found = await published(again, connections)
        finally:
            await lonely.__aexit__(None, None, None)
    entries = [event.entry for _, _, event in found]  # type: ignore[attr-defined]
    assert entries == [f"users/ann/entries/{number}" for number in (1, 2, 3)]


async def test_an_event_says_which_request_made_it_happen(told_desk: Desk, bus: str, connections: Pool) -> None:
    request = quota_pb2.GrantRequest(
        parent="users/ann", request_id=str(uuid4()), meter="video", amount=1, source=quota_pb2.SOURCE_PROMO
    )
    await told_desk.billing.Grant(request, metadata=(("x-request-id", "0b5f8a52-4f3e-4d1c-9a51-6a0a6d1f7c11"),))
    await published(bus, connections)
    async with Redis.from_url(bus) as redis:
        entries: Any = await redis.xrange("events.quota")
    ((_, fields),) = entries
    assert opened(fields[b"envelope"]).request_id == "0b5f8a52-4f3e-4d1c-9a51-6a0a6d1f7c11"


async def test_what_two_replicas_commit_at_once_is_told_once_and_in_order(
    told_desk: Desk, other_told_desk: Desk, bus: str, connections: Pool
) -> None:
    users = [f"user-{number}" for number in range(10)]
    for number in range(10):
        desk = (told_desk, other_told_desk)[number % 2]
        await asyncio.gather(*(desk.grant(1, user=user) for user in users))
    found = await published(bus, connections)
    for user in users:
        told = [event.entry for _, subject, event in found if subject == f"users/{user}"]  # type: ignore[attr-defined]
        assert told == [f"users/{user}/entries/{number}" for number in range(1, 11)]


async def test_a_change_of_plan_tells_every_meter_and_a_purchase_that_it_starts_anew(
    told_desk: Desk, bus: str, connections: Pool
) -> None:
    await told_desk.set_plan("plans/pro", usage=quota_pb2.USAGE_RULE_RESET)
    found = await published(bus, connections)
    assert sorted((kind, event.meter) for kind, _, event in found) == [  # type: ignore[attr-defined]
        ("quota.reset", "chat"),
        ("quota.reset", "image_generation"),
        ("quota.updated", "chat"),
        ("quota.updated", "image_generation"),
    ]
