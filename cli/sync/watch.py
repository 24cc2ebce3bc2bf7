"""A sync from its beginning to its end, as somebody at a terminal sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

import grpc
import typer
from google.protobuf.message import Message
from rich.console import Console

from cli.client import CALL_SECONDS, Client
from cli.failures import ExitCode, Failure
from cli.sync.bars import Step, bars
from cli.sync.shown import ended, faults, summary
from cli.text import to_json, word
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc

POLL_SECONDS = 0.5
# Before each new attempt to look again, after one that failed: the sync does not depend on us.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
# How often it is asked, after a success, which index version is built from it.
INDEX_POLLS = 4
FAULTS_SHOWN = 10
PASSING = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

Detach = Annotated[bool, typer.Option("--detach", help="Start it, and do not watch it.")]
Begin = Callable[[Client, grpc.aio.Channel, Step], Awaitable[catalog_pb2.Sync]]


def of_request(method: str, request: Message) -> Begin:
    """Begins a sync with one call."""

    async def begin(client: Client, channel: grpc.aio.Channel, step: Step) -> catalog_pb2.Sync:
        call = getattr(catalog_pb2_grpc.CatalogServiceStub(channel), method)
        return cast("catalog_pb2.Sync", await call(request, timeout=CALL_SECONDS, metadata=client.metadata))

    return begin


@dataclass
class Watch:
    """Looks at a sync until it is over; Ctrl-C ends the looking alone."""

    client: Client
    as_json: bool
    _name: str = ""

    def follow(self, begin: Begin, detach: bool) -> ExitCode:
        """How it ended. Failure when it failed, or could not be followed."""
        try:
            sync, index = asyncio.run(self._followed(begin, detach))
        except KeyboardInterrupt:
            typer.echo(self._goes_on() if self._name else "Stopped before anything began.", err=True)
            return ExitCode.INTERRUPTED
        except Failure as failure:
            failure.hint = self._goes_on() if self._name else failure.hint
            raise
        if self.as_json:
            typer.echo(json.dumps(to_json(sync), ensure_ascii=False))
            return ExitCode.OK if detach or sync.state == catalog_pb2.Sync.STATE_SUCCEEDED else ExitCode.FAILED
        if detach and not ended(sync):
            typer.echo(self._goes_on())
        else:
            self._tell(sync, index)
        return ExitCode.OK

    async def _followed(self, begin: Begin, detach: bool) -> tuple[catalog_pb2.Sync, str]:
        async with self.client.channel() as channel:
            stub = catalog_pb2_grpc.CatalogServiceStub(channel)
            with bars(self.as_json) as step:
                sync = await begin(self.client, channel, step)
                self._name = sync.name
                while not detach and not ended(sync):
                    step(sync.step or "waiting", sync.done, sync.total)
                    await asyncio.sleep(POLL_SECONDS)
                    sync = await self._state(stub)
                if sync.step:
                    step(sync.step, sync.done, sync.total)
            return await self._index(stub, sync)

    async def _state(self, stub: catalog_pb2_grpc.CatalogServiceAsyncStub) -> catalog_pb2.Sync:
        request = catalog_pb2.GetSyncRequest(name=self._name)
        for pause_seconds in PAUSES_SECONDS:
            try:
                return await stub.GetSync(request, timeout=CALL_SECONDS, metadata=self.client.metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING:
                    raise
            await asyncio.sleep(pause_seconds)
        return await stub.GetSync(request, timeout=CALL_SECONDS, metadata=self.client.metadata)

    async def _index(
        self, stub: catalog_pb2_grpc.CatalogServiceAsyncStub, sync: catalog_pb2.Sync
    ) -> tuple[catalog_pb2.Sync, str]:
        """The sync once it knows its index version, as far as that comes soon, and what became of that version."""
        if sync.state != catalog_pb2.Sync.STATE_SUCCEEDED or self.as_json:
            return sync, ""
        for _ in range(INDEX_POLLS):
            if sync.index_version:
                break
            await asyncio.sleep(POLL_SECONDS)
            sync = await self._state(stub)
        request = catalog_pb2.ListIndexVersionsRequest()
        answer = await stub.ListIndexVersions(request, timeout=CALL_SECONDS, metadata=self.client.metadata)
        version = next((one for one in answer.index_versions if one.name == sync.index_version), None)
        return sync, _built(version)

    def _tell(self, sync: catalog_pb2.Sync, index: str) -> None:
        if sync.faults_total:
            Console().print(faults(sync, FAULTS_SHOWN))
        if sync.state == catalog_pb2.Sync.STATE_SUCCEEDED:
            typer.echo(f"{summary(sync)}\n{index}")
            return
        told = sync.error or f"{summary(sync)} What it brought stays."
        raise Failure(told, hint=f"`scenemesh sync resume {sync.name}` goes on from where it was.")

    def _goes_on(self) -> str:
        return (
            f"{self._name} goes on: `scenemesh sync show {self._name}` looks at it, "
            f"`scenemesh sync cancel {self._name}` ends it."
        )


def _built(version: catalog_pb2.IndexVersion | None) -> str:
    """What became of the index version that was built from a sync, as a sentence."""
    if version is None:
        return "A new index version will be built from it; `scenemesh index list` shows it."
    if version.state == catalog_pb2.IndexVersion.STATE_BUILDING:
        return f"{version.name} is being built from it; `scenemesh index list` shows it."
    if version.active:
        return f"{version.name} was built from it, and is in service."
    reason = f": {version.error}" if version.error else "."
    return f"{version.name} was built from it and is {word(version, 'state', 'STATE_')}{reason}"
