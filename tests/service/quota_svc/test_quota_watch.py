"""Watching a quota, over two replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from redis.asyncio import Redis

from runtime.errors import Unavailable
from runtime.postgres import Pool, pool
from runtime.streams import reading
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.plans import Plans
from services.quota_svc.store import MIGRATIONS, SCHEMA
from services.quota_svc.watching import CHANNEL, Failed, Finished, Look, Watching
from tests.harness import engines
from tests.service.quota_svc.desk import Clock, Desk, person, reason
from tests.service.quota_svc.replica import replica

PATIENCE_SECONDS = 90

Watch = AsyncIterator[quota_pb2.Quota]


@asynccontextmanager
async def watching(desk: Desk) -> AsyncIterator[Watch]:
    """What ann's watch says, until the block ends."""
    call = desk.edge.WatchQuota(quota_pb2.WatchQuotaRequest(name="users/me/quota"), metadata=person())

    async def quotas() -> Watch:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in heard:
                yield event.quota

    async with reading(call) as heard:
        yield quotas()


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


async def test_the_end_of_a_day_is_told_though_nobody_does_anything(desk: Desk) -> None:
    await desk.settle(await desk.hold(5), 5)
    # The watch waits by the real clock, so the user's midnight is put just ahead of it.
    desk.clock.now = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(seconds=0.2)
    async with watching(desk) as quotas:
        before = await anext(quotas)
        assert (before.meters[0].used, before.meters[0].remaining) == (5, 0)
        desk.clock.forward(seconds=0.2)
        after = await anext(quotas)
        assert (after.meters[0].used, after.meters[0].remaining) == (0, 5)
        assert after.meters[0].reset_time.ToDatetime(UTC) == datetime(2026, 11, 23, tzinfo=UTC)


async def test_many_changes_may_be_told_as_one_and_the_last_state_is_told(desk: Desk, other_desk: Desk) -> None:
    async with watching(desk) as quotas:
        assert (await anext(quotas)).meters[0].remaining == 5
        await asyncio.gather(*((desk, other_desk)[number % 2].grant(1) for number in range(60)))
        told = [(await anext(quotas)).meters[0].granted]
        while told[-1] < 60:
            told.append((await anext(quotas)).meters[0].granted)
        assert told == sorted(told)


async def test_a_change_of_plan_or_zone_and_a_void_are_told(desk: Desk, other_desk: Desk) -> None:
    async with watching(desk) as quotas:
        assert (await anext(quotas)).plan == "plans/free"
        await other_desk.set_plan("plans/ten")
        assert (await anext(quotas)).plan == "plans/ten"
        hold = await other_desk.hold(2)
        assert (await anext(quotas)).meters[0].held == 2
        await other_desk.void(hold)
        assert (await anext(quotas)).meters[0].held == 0
        zone = quota_pb2.Quota(name="users/me/quota", time_zone="Asia/Tokyo")
        await other_desk.edge.UpdateQuota(quota_pb2.UpdateQuotaRequest(quota=zone), metadata=person())
        assert (await anext(quotas)).time_zone == "Asia/Tokyo"


async def test_what_is_no_text_on_the_channel_ends_nobodys_watch(desk: Desk, other_desk: Desk, redis_url: str) -> None:
    async with watching(desk) as quotas, Redis.from_url(redis_url) as redis:
        assert (await anext(quotas)).meters[0].held == 0
        await redis.publish(CHANNEL, b"\xff")
        await other_desk.hold(1)
        assert (await anext(quotas)).meters[0].held == 1


async def test_a_watcher_that_goes_is_forgotten(desk: Desk) -> None:
    def handlers() -> int:
        # gRPC names the task that a handler runs in after its method.
        return sum("WatchQuota" in task.get_name() for task in asyncio.all_tasks())

    before = handlers()
    async with watching(desk) as quotas:
        await anext(quotas)
        during = handlers()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while handlers() > before:
            await asyncio.sleep(0.01)
    assert during > before


async def test_a_database_that_goes_away_ends_a_watch_with_a_reason(
    certificates: Path, redis_url: str, plans: Plans, clock: Clock
) -> None:
    with TemporaryDirectory() as directory, ExitStack() as database:
        dsn = database.enter_context(engines.postgres(Path(directory)))
        async with (
            pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
            replica(certificates, connections, redis_url, plans, clock) as desk,
        ):
            await desk.hold(1, seconds=1)
            call = desk.edge.WatchQuota(quota_pb2.WatchQuotaRequest(name="users/me/quota"), metadata=person())
            async with asyncio.timeout(PATIENCE_SECONDS):
                events = aiter(call)
                assert (await anext(events)).quota.meters[0].held == 1
                await asyncio.to_thread(database.close)
                # Its own hold's end makes the watch look again.
                clock.forward(seconds=1)
                assert [event.failed.reason async for event in events] == ["DATABASE_UNAVAILABLE"]
                assert await call.code() == grpc.StatusCode.OK


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
