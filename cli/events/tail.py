"""`scenemesh events tail`."""

import asyncio
import json
from typing import Any

import typer
from redis.asyncio import Redis

from cli.events import decoded, streams
from cli.failures import ExitCode, reported
from cli.options import STATE_DEFAULT, Json, State
from runtime.events.dead import topics
from runtime.events.envelope import ENVELOPE, stream

# Below the client's own limit on a reply; new topics are looked for as often.
BLOCK_MS = 1000
BATCH_ENTRIES = 100


def tail(
    topic: streams.Topic = None, redis: streams.Url = None, state: State = STATE_DEFAULT, as_json: Json = False
) -> None:
    """Follow events as they are published, until Ctrl-C."""
    decoded.learn()
    with reported(as_json):
        try:
            asyncio.run(_tail(topic, redis, state, as_json))
        except KeyboardInterrupt as interruption:
            raise typer.Exit(ExitCode.INTERRUPTED) from interruption


async def _tail(topic: str | None, url: str | None, state: State, as_json: bool) -> None:
    async with streams.connected(url, state) as redis:
        positions = {key: await _end(redis, key) for key in await _keys(redis, topic)}
        while True:
            if positions:
                asked: dict[Any, Any] = dict(positions)
                found: Any = await redis.xread(asked, count=BATCH_ENTRIES, block=BLOCK_MS)
                for key, entries in found:
                    positions[key.decode()] = entries[-1][0]
                    for _, fields in entries:
                        _show(fields.get(ENVELOPE, b""), as_json)
            else:
                await asyncio.sleep(BLOCK_MS / 1000)
            # A topic that had no stream when we began is followed from its first event.
            positions = dict.fromkeys(await _keys(redis, topic), b"0") | positions


async def _keys(redis: Redis, topic: str | None) -> list[str]:
    return [stream(topic)] if topic else [stream(one) for one in await topics(redis)]


async def _end(redis: Redis, key: str) -> bytes:
    """The id of a stream's newest entry."""
    newest: Any = await redis.xrevrange(key, count=1)
    return newest[0][0] if newest else b"0"


def _show(payload: bytes, as_json: bool) -> None:
    event = decoded.as_json(payload)
    if as_json:
        typer.echo(json.dumps(event, ensure_ascii=False))
    else:
        typer.echo("an entry that is no event" if event is None else decoded.line(event))
