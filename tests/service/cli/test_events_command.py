import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from runtime.events.dead import Letter, bury
from runtime.events.envelope import ENVELOPE, envelope, stream
from scenemesh.events.v1.envelope_pb2 import Envelope
from scenemesh.events.v1.quota_pb2 import QuotaDepleted

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 120

ERROR = "ValueError at handlers.py:12"
ID = UUID("00000000-0000-4000-8000-000000000001")
EVENT = envelope(
    "quota.depleted",
    "users/alice",
    QuotaDepleted(meter="chat"),
    datetime(2026, 11, 21, 8, 9, 10, tzinfo=UTC),
    ID,
    "request-1",
)
TOLD = {
    "id": str(ID),
    "type": "quota.depleted",
    "subject": "users/alice",
    "time": "2026-11-21T08:09:10Z",
    "data": {"@type": "type.googleapis.com/scenemesh.events.v1.QuotaDepleted", "meter": "chat"},
    "request_id": "request-1",
}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with runtime_redis.connect(redis_url) as redis:
        await redis.flushall()
        yield redis


async def start(*arguments: str, redis_url: str = "") -> Process:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SCENEMESH_")}
    environment |= {"TZ": "UTC", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    if redis_url:
        environment["SCENEMESH_REDIS_URL"] = redis_url
    command = (sys.executable, "-m", "tests.service.cli.patient", "events", *arguments)
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE, env=environment)


async def run(*arguments: str, redis_url: str = "") -> tuple[int | None, str, str]:
    process = await start(*arguments, redis_url=redis_url)
    async with asyncio.timeout(WAIT_SECONDS):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def publish(redis: Redis, event: Envelope) -> None:
    fields: dict[Any, Any] = {ENVELOPE: event.SerializeToString()}
    await redis.xadd(stream("quota"), fields)


async def give_up(redis: Redis, payload: bytes, group: str = "billing") -> None:
    await bury(redis, Letter("quota", "", group, ERROR, 5, "1-0", payload))


async def tail(redis: Redis, *arguments: str, redis_url: str = "") -> str:
    """The first line that `events tail` writes; Ctrl-C ends it."""
    process = await start("tail", *arguments, redis_url=redis_url)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            line = asyncio.create_task(process.stdout.readline())
            while not line.done():  # what was published before it followed is not shown
                await publish(redis, EVENT)
                await asyncio.wait({line}, timeout=0.1)
            process.send_signal(signal.SIGINT)
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 130
    return line.result().decode()


async def test_events_are_followed_as_json_until_ctrl_c(redis: Redis, redis_url: str) -> None:
    assert json.loads(await tail(redis, "--topic", "quota", "--json", redis_url=redis_url)) == TOLD


async def test_events_are_followed_in_words(redis: Redis, redis_url: str) -> None:
    line = await tail(redis, "--redis", redis_url)
    assert line == '08:09:10.000  quota.depleted  users/alice  {"meter": "chat"}\n'


async def test_dead_letters_are_listed(redis: Redis, redis_url: str) -> None:
    await give_up(redis, EVENT.SerializeToString())
    await give_up(redis, b"\xff")
    code, out, _ = await run("dead", "--json", redis_url=redis_url)
    letters = json.loads(out)["dead_letters"]
    ids = [letter.pop("id") for letter in letters]
    told = {"topic": "quota", "group": "billing", "error": ERROR, "deliveries": 5, "entry": "1-0"}
    assert (code, letters) == (0, [{**told, "event": TOLD}, {**told, "event": None}])
    table = (await run("dead", "--topic", "quota", redis_url=redis_url))[1]
    assert all(identifier in table for identifier in ids)
    assert 'users/alice  {"meter": "chat"}' in table


async def test_no_dead_letters_is_an_answer(redis: Redis, redis_url: str) -> None:
    assert await run("dead", redis_url=redis_url) == (0, "No dead letters.\n", "")


async def test_one_dead_letter_is_replayed_for_its_group(redis: Redis, redis_url: str) -> None:
    for group in ("billing", "chat"):
        await give_up(redis, EVENT.SerializeToString(), group)
    listed = json.loads((await run("dead", "--json", redis_url=redis_url))[1])
    first, second = [letter["id"] for letter in listed["dead_letters"]]
    code, out, _ = await run("replay", second, "--json", redis_url=redis_url)
    assert (code, json.loads(out)) == (0, {"replayed": [second]})
    entries: Any = await redis.xrange(stream("quota"))
    assert [fields for _, fields in entries] == [{ENVELOPE: EVENT.SerializeToString(), b"group": b"chat"}]
    again = await run("replay", second, redis_url=redis_url)
    assert (again[0], again[2].splitlines()[0]) == (1, f"scenemesh: There is no dead letter {second}.")
    assert await run("replay", "--all", redis_url=redis_url) == (0, "1 replayed.\n", "")
    assert (await run("replay", first, redis_url=redis_url))[0] == 1


async def test_one_or_all_must_be_named(redis: Redis, redis_url: str) -> None:
    assert [(await run("replay", *words, redis_url=redis_url))[0] for words in ((), ("1-0", "--all"))] == [2, 2]


async def test_no_redis_is_told_as_not_running(tmp_path: Path) -> None:
    code, out, _ = await run("dead", "--state", str(tmp_path), "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "NOT_RUNNING")
