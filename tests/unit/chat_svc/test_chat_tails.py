"""How all who follow streams of Redis share one way there; the Redis and the time of the simulation stand for both."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from runtime.context import REQUEST_ID, request_id
from services.chat_svc.answering import tails as module
from services.chat_svc.answering.tails import BLOCK_SECONDS, KEPT_BYTES_MAX, START, Item, Place, Tail, Tails
from tests.unit.chat_svc.simulation.line import Line, Weather
from tests.unit.chat_svc.simulation.streams import Client, Streams, redis_away
from tests.unit.chat_svc.simulation.world import World

KEYS = [f"answer {number}" for number in range(100)]
# On the way to Redis and back.
FAST = BLOCK_SECONDS / 2


class Server(Client):
    """Counts who reads; `blocked` are the reads that wait for something to come."""

    def __init__(self) -> None:
        self.streams, self.weather = Streams(), Weather()
        super().__init__(self.streams, Line(Random(1), self.weather, redis_away))
        self.blocked = self.blocked_max = self.rereads = 0
        self.defect: Exception | None = None

    async def xread(self, read: dict[str, str], count: int, block: int | None = None) -> Any:
        if self.defect is not None:
            raise self.defect
        if block is None:
            self.rereads += 1
            return await super().xread(read, count)
        self.blocked += 1
        self.blocked_max = max(self.blocked, self.blocked_max)
        try:
            return await super().xread(read, count, block)
        finally:
            self.blocked -= 1

    def say(self, key: str, word: str) -> None:
        self.streams.add(key, {"said": word}, only_there=False)


class Follower:
    """What one has seen: words, and lulls as None where Redis is away and "" where it is not."""

    def __init__(self, tails: Tails, key: str) -> None:
        self.seen: list[str | None] = []
        self._tails = tails
        self._key = key

    async def run(self) -> None:
        with self._tails.followed(self._key) as tail:
            place = START
            while True:
                place = await self.step(tail, place)

    async def step(self, tail: Tail, place: Place) -> Place:
        items = await self._tails.after(tail, place)
        self.seen += [fields[b"said"].decode() for _, fields in items] if items else [None if items is None else ""]
        return items[-1][0] if items else place

    @property
    def words(self) -> list[str]:
        return [word for word in self.seen if word]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def tails(server: Server) -> Tails:
    return Tails(cast("Redis", server))


def live(work: Coroutine[Any, Any, None]) -> None:
    world = World()
    world.live(work)
    assert world.defects == []


@contextmanager
def running(*followers: Follower) -> Iterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(follower.run()) for follower in followers]
    yield tasks
    for task in tasks:
        task.cancel()


def test_however_many_follow_one_reads(server: Server, tails: Tails) -> None:
    followers = [Follower(tails, key) for key in KEYS for _ in range(5)]

    async def work() -> None:
        with running(*followers):
            for word in ("a", "b", "c"):
                await asyncio.sleep(FAST)
                for key in KEYS:
                    server.say(key, word)
            await asyncio.sleep(FAST)
        assert all(follower.seen == ["a", "b", "c"] for follower in followers)
        assert (server.blocked_max, server.rereads) == (1, 0)

    live(work())


def test_the_common_reading_is_nobodys_call(server: Server, tails: Tails, monkeypatch: pytest.MonkeyPatch) -> None:
    read, calls = server.xread, set[str]()

    async def noted(*arguments: Any, **options: Any) -> Any:
        calls.add(request_id())
        return await read(*arguments, **options)

    monkeypatch.setattr(server, "xread", noted)

    async def work() -> None:
        REQUEST_ID.set("request-1")
        with running(Follower(tails, KEYS[0])):
            await asyncio.sleep(FAST)
        assert (request_id(), calls) == ("request-1", {""})

    live(work())


def test_whoever_joins_is_read_for_at_once(server: Server, tails: Tails) -> None:
    early, late, later = (Follower(tails, key) for key in (*KEYS[:2], KEYS[1]))

    async def work() -> None:
        server.say(KEYS[1], "a")
        with running(early):
            await asyncio.sleep(BLOCK_SECONDS / 10)
            with running(late):
                await asyncio.sleep(FAST)
                assert (early.seen, late.seen) == ([], ["a"])
                # What is here already needs no other way to Redis.
                with running(later):
                    await asyncio.sleep(0.001)
                    assert later.seen == ["a"]

    live(work())


def test_of_many_who_join_at_once_one_says_so_and_that_does_not_stay_for_ever(server: Server, tails: Tails) -> None:
    async def work() -> None:
        with running(Follower(tails, "early")):
            await asyncio.sleep(BLOCK_SECONDS / 10)
            with running(*(Follower(tails, key) for key in KEYS)):
                await asyncio.sleep(FAST)
        ((bell, said),) = server.streams.items.items()
        assert (len(said), [*server.streams.expire]) == (1, [bell])

    live(work())


def test_where_redis_does_not_hear_of_one_who_joins_it_is_read_for_in_the_next_round(
    server: Server, tails: Tails, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = (Follower(tails, key) for key in KEYS[:2])

    async def unheard() -> None:
        raise redis_away()

    monkeypatch.setattr(tails, "_ring", unheard)

    async def work() -> None:
        server.say(KEYS[1], "a")
        with running(early):
            await asyncio.sleep(BLOCK_SECONDS / 10)
            with running(late):
                await asyncio.sleep(2 * BLOCK_SECONDS)
        assert late.words == ["a"]

    live(work())


def test_nothing_waits_for_one_who_does_not_come_for_it_and_it_misses_nothing(server: Server, tails: Tails) -> None:
    fast, slow = (Follower(tails, KEYS[0]) for _ in range(2))
    words = [f"{number:01000}" for number in range(1, 200)]

    async def work() -> None:
        with running(fast), tails.followed(KEYS[0]) as tail:
            server.say(KEYS[0], "first")
            place = await slow.step(tail, START)
            for word in words:
                server.say(KEYS[0], word)
                await asyncio.sleep(0)
            await asyncio.sleep(FAST)
            kept = tail.after(tail.start)
            assert sum(len(fields[b"said"]) for _, fields in kept) <= KEPT_BYTES_MAX
            assert 0 < len(kept) < len(words)
            while len(slow.words) <= len(words):
                place = await slow.step(tail, place)
        assert fast.words == slow.words == ["first", *words]
        assert server.rereads == 1

    live(work())


def test_so_many_read_alone_at_a_time_and_the_others_wait(server: Server, tails: Tails) -> None:
    followers = [Follower(tails, KEYS[0]) for _ in range(3 * module.REREADS_MAX)]
    words = [f"{number:01000}" for number in range(1, 200)]
    reading, most, reread = 0, 0, tails._reread

    async def counted(tail: Tail, place: Place) -> list[Item] | None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            return await reread(tail, place)
        finally:
            reading -= 1

    tails._reread = counted  # type: ignore[method-assign]

    async def work() -> None:
        with running(Follower(tails, KEYS[0])):
            for word in words:
                server.say(KEYS[0], word)
            await asyncio.sleep(FAST)
            with running(*followers):
                await asyncio.sleep(2 * BLOCK_SECONDS)
        assert all(follower.words == words for follower in followers)
        assert most == module.REREADS_MAX

    live(work())


def test_one_who_missed_what_redis_has_lost_meanwhile_goes_on_with_what_is_here(server: Server, tails: Tails) -> None:
    late = Follower(tails, KEYS[0])
    words = [f"{number:01000}" for number in range(1, 200)]

    async def work() -> None:
        with running(Follower(tails, KEYS[0])):
            for word in words:
                server.say(KEYS[0], word)
            await asyncio.sleep(FAST)
            server.streams.items.clear()
            with running(late):
                await asyncio.sleep(FAST)
        assert late.words
        assert late.words == words[-len(late.words) :]

    live(work())


def test_all_are_told_that_redis_is_away_and_go_on_when_it_is_back(server: Server, tails: Tails) -> None:
    followers = [Follower(tails, key) for key in KEYS]

    async def work() -> None:
        with running(*followers):
            await asyncio.sleep(FAST)
            for key in KEYS:
                server.say(key, "a")
            await asyncio.sleep(FAST)
            server.weather.away = True
            server.streams.wake()
            await asyncio.sleep(3 * BLOCK_SECONDS)
            server.weather.away = False
            for key in KEYS:
                server.say(key, "b")
            await asyncio.sleep(3 * BLOCK_SECONDS)
        for follower in followers:
            assert follower.words == ["a", "b"]
            assert None in follower.seen[1 : follower.seen.index("b")]
            assert None not in follower.seen[follower.seen.index("b") :]
        assert server.blocked_max == 1

    live(work())


def test_while_redis_is_away_nobody_asks_it_alone(server: Server, tails: Tails) -> None:
    fast, late = (Follower(tails, KEYS[0]) for _ in range(2))
    words = [f"{number:01000}" for number in range(1, 200)]

    async def work() -> None:
        with running(fast):
            for word in words:
                server.say(KEYS[0], word)
            await asyncio.sleep(FAST)
            before = server.rereads
            server.weather.away = True
            server.streams.wake()
            await asyncio.sleep(FAST)
            with running(late):
                await asyncio.sleep(2 * BLOCK_SECONDS)
                assert (set(late.seen), server.rereads) == ({None}, before)
                server.weather.away = False
                await asyncio.sleep(4 * BLOCK_SECONDS)
        assert late.words == words

    live(work())


def test_a_defect_in_reading_ends_nobody(server: Server, tails: Tails) -> None:
    follower = Follower(tails, KEYS[0])
    server.defect = ValueError("a defect")

    async def work() -> None:
        with running(follower) as tasks:
            await asyncio.sleep(FAST)
            assert follower.seen == [None]
            server.defect = None
            server.say(KEYS[0], "a")
            await asyncio.sleep(2 * BLOCK_SECONDS)
            assert (follower.words, tasks[0].done()) == (["a"], False)

    live(work())


def test_one_who_goes_takes_nothing_from_the_others_and_after_the_last_nobody_reads(
    server: Server, tails: Tails
) -> None:
    staying = Follower(tails, KEYS[0])

    async def work() -> None:
        before = asyncio.all_tasks()
        with running(staying):
            with running(Follower(tails, KEYS[0]), Follower(tails, KEYS[1])):
                await asyncio.sleep(FAST)
            await asyncio.sleep(BLOCK_SECONDS / 10)
            server.say(KEYS[0], "a")
            await asyncio.sleep(BLOCK_SECONDS / 10)
            assert staying.seen == ["a"]
        await asyncio.sleep(2 * BLOCK_SECONDS)
        assert (server.blocked, asyncio.all_tasks()) == (0, before)
        # One who comes back to a stream begins anew.
        with running(again := Follower(tails, KEYS[0])):
            await asyncio.sleep(FAST)
        assert again.seen == ["a"]

    live(work())
