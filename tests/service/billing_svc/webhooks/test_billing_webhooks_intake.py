import asyncio
import json
from datetime import datetime

import asyncpg
import pytest

from runtime.errors import FailedPrecondition, InvalidArgument, Unauthenticated, Unavailable
from runtime.postgres import Pool
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from tests.service.billing_svc.shop import NOW, Clock
from tests.service.billing_svc.webhooks.replica import WAIT_SECONDS_MAX, Replica, replica
from tests.service.billing_svc.webhooks.scripted import HEADERS, Scripted, event


async def kept(connections: Pool) -> list[str]:
    return [row["event_id"] for row in await connections.fetch("SELECT event_id FROM deliveries ORDER BY 1")]


async def test_what_a_provider_sends_is_kept_byte_for_byte(post: Replica) -> None:
    body = event("evt_1", "ann", note="  two  spaces, ünïcödé")
    await post.receive(body)
    row = dict(await post.row("evt_1"))
    del row["id"]
    assert row == {
        "provider": "stripe",
        "event_id": "evt_1",
        "event_type": "something.happened",
        "event_time": NOW,
        "subjects": ["ann"],
        "body": body,
        "receive_time": NOW,
        "state": "pending",
        "detail": "",
        "attempts": 0,
        "due_time": NOW,
        "end_time": None,
    }


async def test_one_event_a_hundred_times_at_once_is_acknowledged_each_time_and_kept_once(post: Replica) -> None:
    await asyncio.gather(*[post.receive(event("evt_1", "ann")) for _ in range(100)])
    assert await kept(post.connections) == ["evt_1"]


async def test_an_event_that_comes_again_stays_as_it_was(post: Replica, clock: Clock) -> None:
    await post.receive(event("evt_1", "ann"))
    before = await post.row("evt_1")
    clock.forward(hours=1)
    await post.receive(event("evt_1", "bob"))
    assert await post.row("evt_1") == before


async def test_many_events_at_once_are_all_kept(post: Replica) -> None:
    await asyncio.gather(*[post.receive(event(f"evt_{number:03}", "ann")) for number in range(600)])
    assert await kept(post.connections) == [f"evt_{number:03}" for number in range(600)]


async def test_what_is_not_signed_is_refused_and_not_kept(post: Replica) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await post.intake.receive(Provider.STRIPE, {**HEADERS, "x-signature": "wrong"}, event("evt_1"))
    assert (refusal.value.reason, await kept(post.connections)) == ("BAD_SIGNATURE", [])


async def test_a_provider_that_is_not_configured_is_told_so(post: Replica) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        await post.receive(event("evt_1"), Provider.CRYPTOMUS)
    assert (refusal.value.reason, await kept(post.connections)) == ("PROVIDER_NOT_CONFIGURED", [])


UNSOUND = {
    "no JSON": b"{",
    "no event": b"[]",
    "an id with a NUL": event("evt\0_1"),
    "an empty id": event(""),
    "half a character": json.dumps({**json.loads(event("evt")), "id": "\ud800"}).encode(),
    "a long id": event("e" * 501),
    "a type with a NUL": event("evt_1", type="a\0b"),
    "a subject with a NUL": event("evt_1", "ann", "b\0b"),
    "too many subjects": event("evt_1", *map(str, range(101))),
    "a time without a zone": event("evt_1", time=datetime(2026, 1, 1).isoformat()),  # noqa: DTZ001
    "a time of long ago": event("evt_1", time="0001-01-01T00:00:00+00:00"),
    "a time far away": event("evt_1", time="9999-12-31T23:59:59+00:00"),
}


@pytest.mark.parametrize("body", UNSOUND.values(), ids=UNSOUND.keys())
async def test_what_is_signed_and_unsound_is_refused_and_keeps_nobody_out(post: Replica, body: bytes) -> None:
    refusal, *others = await asyncio.gather(
        post.receive(body), *[post.receive(event(f"evt_{name}")) for name in "abc"], return_exceptions=True
    )
    assert isinstance(refusal, InvalidArgument)
    assert (refusal.reason, others) == ("BAD_BODY", [None] * 3)
    assert await kept(post.connections) == ["evt_a", "evt_b", "evt_c"]


async def test_nothing_is_acknowledged_while_the_database_is_away(
    keeping: Keeping, stripe: Scripted, clock: Clock
) -> None:
    async with (
        asyncpg.create_pool("postgresql://postgres@/none?host=/nowhere", min_size=0) as away,
        replica(away, keeping, [stripe], clock) as post,
    ):
        with pytest.raises(Unavailable) as refusal:
            await post.receive(event("evt_1", "ann"))
    assert refusal.value.reason == "DATABASE_UNAVAILABLE"


async def test_nothing_is_acknowledged_before_it_is_kept(post: Replica, connections: Pool) -> None:
    async with connections.acquire() as database, database.transaction():
        await database.execute("LOCK deliveries")
        receiving = asyncio.create_task(post.receive(event("evt_1", "ann")))
        await waits_for_the_lock(connections)
        assert not receiving.done()
    await receiving
    assert await kept(connections) == ["evt_1"]


async def test_whoever_goes_while_others_wait_takes_nobody_along(post: Replica, connections: Pool) -> None:
    async with connections.acquire() as database, database.transaction():
        await database.execute("LOCK deliveries")
        receiving = [asyncio.create_task(post.receive(event(f"evt_{number}"))) for number in range(3)]
        await waits_for_the_lock(connections)
        late = [asyncio.create_task(post.receive(event(f"evt_{number}"))) for number in range(3, 6)]
        await asyncio.sleep(0)
        for gone in (receiving[0], late[0]):
            gone.cancel()
    outcomes = await asyncio.gather(*receiving, *late, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, *[type(None)] * 2] * 2
    assert await kept(connections) == ["evt_0", "evt_1", "evt_2", "evt_4", "evt_5"]


async def waits_for_the_lock(connections: Pool) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await connections.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
