"""`scenemesh quota --watch`."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

import typer
from rich.console import Console, Group
from rich.live import Live

from cli import tables
from cli.client import Client
from cli.failures import ExitCode, Failure
from cli.quota.table import report
from cli.text import to_json
from runtime.streams import reading
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc

# A little longer than the edge lets a stream last, so that the service's own end comes first.
STREAM_SECONDS = 3660.0
# Before the next stream, after one that ended in good order.
PAUSE_SECONDS = 0.5

AGAIN = "`scenemesh quota --watch` takes it up again."

Draw = Callable[[quota_pb2.QuotaEvent], None]


def watch(client: Client, name: str, as_json: bool) -> ExitCode:
    """Shows the quota as it changes, until it fails or Ctrl-C."""
    try:
        return asyncio.run(_watch(client, name, as_json))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


async def _watch(client: Client, name: str, as_json: bool) -> ExitCode:
    console, last = Console(), quota_pb2.QuotaEvent()
    drawing = _lines() if as_json else _screen(console) if console.is_terminal else _file()
    with drawing as draw:
        async with aclosing(_events(client, name)) as events:
            async for last in events:
                draw(last)
    if not as_json:
        raise Failure(last.failed.message, reason=last.failed.reason, hint=AGAIN)
    return ExitCode.FAILED


async def _events(client: Client, name: str) -> AsyncGenerator[quota_pb2.QuotaEvent, None]:
    """What happens to the quota, through one stream after the other, up to a failure, which is the last event."""
    request = quota_pb2.WatchQuotaRequest(name=name)
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        while True:
            last = quota_pb2.QuotaEvent()
            async with reading(stub.WatchQuota(request, timeout=STREAM_SECONDS, metadata=client.metadata)) as call:
                async for last in call:
                    yield last
            if last.HasField("failed"):
                return
            if not last.HasField("finished"):
                raise Failure("The stream broke off.", hint=AGAIN)
            await asyncio.sleep(PAUSE_SECONDS)


@contextmanager
def _lines() -> Iterator[Draw]:
    """For programs: one event a line."""
    yield lambda event: typer.echo(json.dumps(to_json(event), ensure_ascii=False))


@contextmanager
def _screen(console: Console) -> Iterator[Draw]:
    """For people: always in the same place."""
    with Live(console=console, auto_refresh=False) as live:

        def draw(event: quota_pb2.QuotaEvent) -> None:
            if event.HasField("quota"):
                live.update(Group(*report(event.quota)), refresh=True)

        yield draw


@contextmanager
def _file() -> Iterator[Draw]:
    """For people who read it later: one below the other, when something has changed."""
    drawn = quota_pb2.Quota()

    def draw(event: quota_pb2.QuotaEvent) -> None:
        if event.HasField("quota") and event.quota != drawn:
            drawn.CopyFrom(event.quota)
            tables.draw(*report(event.quota))

    yield draw
