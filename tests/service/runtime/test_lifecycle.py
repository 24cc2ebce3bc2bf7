"""From the first call to the last: lease, ready file, drain."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from redis.asyncio import Redis

from runtime import registry
from runtime.redis import connect
from runtime.serve import serve
from runtime.settings import ProcessSettings
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from tests.harness.serving import client_credentials

SERVICE = "scenemesh.billing.v1.BillingService"
WAIT_SECONDS = 90


class Billing(billing_pb2_grpc.BillingServiceServicer):
    """ListPlans answers when told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def ListPlans(self, request: Any, context: Any) -> billing_pb2.ListPlansResponse:
        self.asked.set()
        await self.answer.wait()
        return billing_pb2.ListPlansResponse()


class Running:
    """A served process within this one."""

    def __init__(self, settings: ProcessSettings, billing: Billing, task: asyncio.Task[None]) -> None:
        self.settings = settings
        self.billing = billing
        self.task = task

    @property
    def ready_file(self) -> Path:
        assert self.settings.ready_file is not None
        return self.settings.ready_file

    def stub(self, channel: grpc.aio.Channel) -> "billing_pb2_grpc.BillingServiceAsyncStub":
        return billing_pb2_grpc.BillingServiceStub(channel)

    def channel(self) -> grpc.aio.Channel:
        target = self.ready_file.read_text().replace("127.0.0.1", "localhost")
        return grpc.aio.secure_channel(target, client_credentials(self.settings.certificates.parent / "quota"))


@asynccontextmanager
async def _running(certificates: Path, redis_url: str, directory: Path) -> AsyncIterator[Running]:
    settings = ProcessSettings(
        certificates=certificates / "billing",
        redis_url=redis_url,
        control_plane="localhost:1",
        ready_file=directory / "ready",
        drain_seconds=WAIT_SECONDS,
    )
    billing = Billing()  # type: ignore[abstract]
    register = partial(billing_pb2_grpc.add_BillingServiceServicer_to_server, billing)
    task = asyncio.create_task(serve(settings, "billing", register, [SERVICE]))
    running = Running(settings, billing, task)
    try:
        await _until(running.ready_file.exists)
        yield running
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        await task


async def _until(condition: Any) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def _leases(redis: Redis) -> list[dict[str, str]]:
    keys = [key async for key in redis.scan_iter(f"{registry.PREFIX}billing:*")]
    return [json.loads(value) for value in await redis.mget(keys) if value] if keys else []


async def test_a_process_is_registered_while_it_serves_and_calls_in_flight_finish(
    certificates: Path, redis_url: str, tmp_path: Path
) -> None:
    async with connect(redis_url) as redis, _running(certificates, redis_url, tmp_path) as running:
        assert await _leases(redis) == [{"address": running.ready_file.read_text()}]
        async with running.channel() as channel:
            call = running.stub(channel).ListPlans(billing_pb2.ListPlansRequest())
            await running.billing.asked.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await _until(lambda: not running.ready_file.exists())
            assert await _leases(redis) == []
            running.billing.answer.set()
            assert await call == billing_pb2.ListPlansResponse()
        await running.task


async def test_a_second_signal_ends_at_once(certificates: Path, redis_url: str, tmp_path: Path) -> None:
    async with _running(certificates, redis_url, tmp_path) as running, running.channel() as channel:
        call = running.stub(channel).ListPlans(billing_pb2.ListPlansRequest())
        await running.billing.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await _until(lambda: not running.ready_file.exists())
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
        await running.task


async def test_a_lease_is_renewed_until_it_ends(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        async with registry.lease(redis, "search", "127.0.0.1:1"):
            (key,) = [key async for key in redis.scan_iter(f"{registry.PREFIX}search:*")]
            await redis.pexpire(key, registry.LEASE_MS // 2)
            await _renewed(redis, key)
        assert await redis.exists(key) == 0


async def _renewed(redis: Redis, key: bytes) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while await redis.pttl(key) <= registry.LEASE_MS // 2:
            await asyncio.sleep(0.02)
