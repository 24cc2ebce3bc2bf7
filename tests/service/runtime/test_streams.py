"""A stream that its reader leaves: what gRPC makes of it, and what we do."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from runtime.streams import reading
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from tests.harness.serving import served

PATIENCE_SECONDS = 90
REQUEST = quota_pb2.WatchQuotaRequest(name="users/me/quota")
PERSON = (("x-user-id", "alice"), ("x-user-role", "user"))


@dataclass
class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """Says something for as long as the call goes on; `plan` is said, too."""

    plan: str = ""
    said: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    # What the call was begun and ended by.
    tasks: list[asyncio.Task[Any] | None] = field(default_factory=list)

    async def WatchQuota(self, request: Any, context: Any) -> AsyncIterator[quota_pb2.QuotaEvent]:
        self.tasks.append(asyncio.current_task())
        try:
            while True:
                self.said += 1
                yield quota_pb2.QuotaEvent(quota=quota_pb2.Quota(name=f"{self.said}", plan=self.plan))
                await asyncio.sleep(0.001)
        finally:
            self.tasks.append(asyncio.current_task())
            self.ended.set()


@dataclass(frozen=True)
class Wire:
    """A service that never stops talking, and a stub for it."""

    quota: Quota
    stub: Any

    def watched(self) -> Any:
        return self.stub.WatchQuota(REQUEST, metadata=PERSON)


@pytest.fixture
async def wire(certificates: Path) -> AsyncIterator[Wire]:
    quota = Quota()  # type: ignore[abstract]

    def register(server: grpc.aio.Server) -> None:
        quota_pb2_grpc.add_QuotaServiceServicer_to_server(quota, server)

    async with served(certificates, "quota", register, "scenemesh.quota.v1.QuotaService") as dial:
        yield Wire(quota, quota_pb2_grpc.QuotaServiceStub(dial("edge")))


async def test_a_reader_that_leaves_the_loop_ends_the_call(wire: Wire) -> None:
    async with reading(wire.watched()) as call:
        async for event in call:
            if event.quota.name == "3":
                break
    async with asyncio.timeout(PATIENCE_SECONDS):
        await wire.quota.ended.wait()
    assert call.cancelled()


async def test_a_reader_that_fails_ends_the_call_and_the_fault_is_its_own(wire: Wire) -> None:
    async def read() -> None:
        async with reading(wire.watched()) as call:
            async for event in call:
                int(event.quota.name) // 0

    with pytest.raises(ZeroDivisionError):
        await read()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await wire.quota.ended.wait()


async def test_a_caller_that_leaves_while_an_answer_is_written_has_its_call_ended_where_it_was_served(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    # More than may be under way to a reader.
    wire.quota.plan = "x" * 1_000_000
    async with reading(wire.watched()) as call:
        async for _ in call:
            break
    async with asyncio.timeout(PATIENCE_SECONDS):
        await wire.quota.ended.wait()
    began, ended = wire.quota.tasks
    assert began is ended
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_call_that_has_ended_keeps_its_status(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with reading(wire.stub.WatchQuota(quota_pb2.WatchQuotaRequest(name="nonsense"), metadata=PERSON)) as call:
            _ = [event async for event in call]
    assert caught.value.code() is await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_without_that_a_call_that_nobody_refers_to_goes_on(wire: Wire) -> None:
    """Should gRPC ever end such calls itself, `reading` has no more to do."""
    call = wire.watched()
    async for _ in call:
        break
    del call
    gc.collect()
    said = wire.quota.said
    async with asyncio.timeout(PATIENCE_SECONDS):
        while wire.quota.said < said + 50:
            await asyncio.sleep(0.01)
    assert not wire.quota.ended.is_set()
