"""Dead letters: events that a group could not handle, kept until somebody replays them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from runtime.events.envelope import DEAD, ENVELOPE, GROUP, PREFIX, dead_stream, stream

PAGE_ENTRIES = 100
LETTERS_MAX = 100_000

# Whoever comes second finds the letter gone and adds nothing.
REPLAY = """
    if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
    redis.call('XADD', KEYS[1], '*', 'envelope', ARGV[2], 'group', ARGV[3])
    return 1
"""


@dataclass(frozen=True)
class Letter:
    """An event that `group` gave up after so many `deliveries`; `entry` is the id that it had in its stream."""

    topic: str
    id: str
    group: str
    error: str
    deliveries: int
    entry: str
    payload: bytes


async def bury(redis: Redis, letter: Letter) -> None:
    """Moves an entry from what its group has to handle to the dead letters, in one step. The letter gets a new id."""
    fields: dict[Any, Any] = {
        ENVELOPE: letter.payload,
        GROUP: letter.group,
        b"error": letter.error,
        b"deliveries": letter.deliveries,
        b"entry": letter.entry,
    }
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.xadd(dead_stream(letter.topic), fields, maxlen=LETTERS_MAX, approximate=True)
        pipeline.xack(stream(letter.topic), letter.group, letter.entry)
        await pipeline.execute()


async def topics(redis: Redis) -> list[str]:
    """The topics that have a stream, or dead letters."""
    keys = [key.decode() async for key in redis.scan_iter(match=f"{PREFIX}*", count=1000, _type="STREAM")]
    return sorted({key.removeprefix(PREFIX).removesuffix(DEAD) for key in keys})


async def letters(redis: Redis, topic: str) -> AsyncIterator[Letter]:
    """A topic's dead letters, oldest first."""
    position = "-"
    while page := await _page(redis, topic, position):
        for identifier, fields in page:
            yield _letter(topic, identifier.decode(), fields)
        position = f"({page[-1][0].decode()}"


async def replay(redis: Redis, letter: Letter) -> bool:
    """Puts a dead letter back into its stream, for its own group alone; False when it is not there any more."""
    keys = (stream(letter.topic), dead_stream(letter.topic))
    answer: Any = redis.eval(REPLAY, len(keys), *keys, letter.id, letter.payload, letter.group)
    return bool(await answer)


async def _page(redis: Redis, topic: str, position: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    found: Any = await redis.xrange(dead_stream(topic), min=position, count=PAGE_ENTRIES)
    return list(found)


def _letter(topic: str, identifier: str, fields: dict[bytes, bytes]) -> Letter:
    return Letter(
        topic=topic,
        id=identifier,
        group=fields[GROUP].decode(),
        error=fields[b"error"].decode(errors="replace"),
        deliveries=int(fields[b"deliveries"]),
        entry=fields[b"entry"].decode(),
        payload=fields[ENVELOPE],
    )
