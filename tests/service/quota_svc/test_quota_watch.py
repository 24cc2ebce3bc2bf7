"""Watching a quota, over two replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

from runtime.errors import Unavailable
from runtime.postgres import Pool
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.plans import Plans
from services.quota_svc.watching import Failed, Finished, Look, Watching
from tests.harness import engines
from tests.service.quota_svc.desk import Clock, Desk, person, reason
from tests.service.quota_svc.replica import replica

PATIENCE_SECONDS = 10

Watch = AsyncIterator[quota_pb2.Quota]


@asynccontextmanager
async def watching(desk: Desk) -> AsyncIterator[Watch]:
    """What ann's watch says, until the block ends."""
    call = desk.edge.WatchQuota(quota_pb2.WatchQuotaRequest(name="users/me/quota"), metadata=person())

    async def quotas() -> Watch:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in call:
                yield event.quota

    try:
        yield quotas()
    finally:
        call.cancel()


async def test_a_change_by_another_replica_is_told(desk: Desk, other_desk: Desk) -> None:
    async with watching(desk) as quotas:
        assert (await anext(quotas)).meters[0].remaining == 5
        hold = await other_desk.hold(2)
        assert (await anext(quotas)).meters[0].held == 2
        await other_desk.settle(hold, 1)
        last = await anext(quotas)
        assert (last.meters[0].used, last.meters[0].held) == (1, 0)


async def test_a_hold_that_expires_is_told_though_nobody_does_anything(desk: Desk) -> None:
    desk.clock.now = desk.clock.now.now(UTC)
    await desk.hold(2, seconds=1)
    async with watching(desk) as quotas:
        assert (await anext(quotas)).meters[0].held == 2
        desk.clock.forward(seconds=1)
        assert (await anext(quotas)).meters[0].held == 0


async def test_without_redis_a_change_is_told_all_the_same(
    certificates: Path, connections: Pool, plans: Plans, clock: Clock, desk: Desk
) -> None:
    with TemporaryDirectory() as directory:
        async with engines.valkey(Path(directory)) as url:
            lonely = replica(certificates, connections, url, plans, clock)
            alone = await lonely.__aenter__()
        try:
            async with watching(alone) as quotas:
                assert (await anext(quotas)).meters[0].held == 0
                await desk.hold(2)
                assert (await anext(quotas)).meters[0].held == 2
        finally:
            await lonely.__aexit__(None, None, None)


async def test_another_users_quota_cannot_be_watched(desk: Desk) -> None:
    call = desk.edge.WatchQuota(quota_pb2.WatchQuotaRequest(name="users/bob/quota"), metadata=person())
    assert await reason(call.read()) == ("NOT_FOUND", "QUOTA_NOT_FOUND")


async def test_a_watch_ends_with_a_last_word(clock: Clock) -> None:
    watch = Watching(None, clock)  # type: ignore[arg-type]

    async def look() -> Look[int]:
        return Look(1, clock())

    async def broken() -> Look[int]:
        raise Unavailable("The database cannot be reached just now.", reason="DATABASE_UNAVAILABLE")

    assert [found async for found in watch.follow("ann", look, seconds_max=0.05)] == [1, Finished()]
    last = [found async for found in watch.follow("ann", broken)]
    assert [found.error.reason for found in last if isinstance(found, Failed)] == ["DATABASE_UNAVAILABLE"]
