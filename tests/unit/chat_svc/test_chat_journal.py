"""How live answers share their way to Redis; a stub stands for it."""

import asyncio
from typing import Any, cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from services.chat_svc.answering.journal import Journal
from services.chat_svc.domain.entry import Entry, Said

ANSWERS = [UUID(int=number) for number in range(3)]
PIECES = [Said("a"), Said("b")]


class Server:
    """Takes one write at a time, when it is let; `writes` are the commands of each."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []
        self.free = asyncio.Event()
        self.fails = False
        self.fault: Exception = RedisConnectionError("Down.")
        self.dropped: set[str] = set()

    def pipeline(self, *, transaction: bool) -> "Pipeline":
        assert not transaction
        return Pipeline(self)


class Pipeline:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._commands: list[str] = []
        self._replies: list[object] = []

    async def __aenter__(self) -> "Pipeline":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def xadd(self, key: str, fields: dict[str, Any], *, nomkstream: bool = False) -> None:
        begins = f"from {fields['first']}" if "first" in fields else "to the end"
        self._commands.append(f"{'go on with' if nomkstream else 'add'} {key[-1]} {begins}")
        self._replies.append(None if nomkstream and key[-1] in self._server.dropped else b"1-0")

    def expire(self, key: str, seconds: int) -> None:
        self._commands.append(f"expire {key[-1]} in {seconds}")
        self._replies.append(True)

    async def execute(self) -> list[object]:
        self._server.writes.append(self._commands)
        await self._server.free.wait()
        if self._server.fails:
            raise self._server.fault
        return self._replies


def _journal(server: Server) -> Journal:
    return Journal(cast("Redis", server), cast("Redis", server))


async def _begun(server: Server, *adding: asyncio.Task[int]) -> None:
    """Waits until one write is under way and the others wait for the next."""
    async with asyncio.timeout(60):
        while not server.writes:
            await asyncio.sleep(0)
        for _ in adding:
            await asyncio.sleep(0)


async def test_what_answers_have_to_say_while_a_write_is_under_way_shares_the_next_one() -> None:
    server = Server()
    journal = _journal(server)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(journal.add(ANSWERS[0], [*PIECES], 0))
        await _begun(server, first)
        others = [tasks.create_task(journal.add(ANSWERS[1], [*PIECES], 0))]
        others += [tasks.create_task(journal.add(ANSWERS[2], [*PIECES], 1))]
        await _begun(server, *others)
        assert len(server.writes) == 1
        server.free.set()
    assert [first.result(), *(task.result() for task in others)] == [2, 2, 2]
    assert server.writes == [
        ["add 0 from 1", "expire 0 in 3600"],
        ["add 1 from 1", "expire 1 in 3600", "go on with 2 from 2"],
    ]


async def test_a_write_that_fails_has_failed_for_all_that_share_it_and_the_next_ones_do_not_wait() -> None:
    server = Server()
    server.fails = True
    server.free.set()
    journal = _journal(server)
    assert await asyncio.gather(*(journal.add(answer, [*PIECES], 1) for answer in ANSWERS)) == [0, 0, 0]
    assert await journal.add(ANSWERS[0], [*PIECES], 0) == 0
    await journal.end(ANSWERS[0])
    assert server.writes == [[f"go on with {number} from 2" for number in range(3)]]


async def test_nobody_prepares_what_redis_is_not_asked_to_keep() -> None:
    class Unread(list[Entry]):
        def __getitem__(self, place: Any) -> Any:
            raise AssertionError("it was looked at")

    server = Server()
    server.free.set()
    server.fails = True
    journal = _journal(server)
    assert await journal.add(ANSWERS[0], [*PIECES], 0) == 0
    assert await journal.add(ANSWERS[0], Unread(PIECES), 0) == 0
    assert len(server.writes) == 1


async def test_one_who_goes_away_takes_nothing_from_those_who_share_the_write() -> None:
    server = Server()
    journal = _journal(server)
    async with asyncio.TaskGroup() as tasks:
        going, staying = (tasks.create_task(journal.add(answer, [*PIECES], 1)) for answer in ANSWERS[:2])
        await _begun(server, going, staying)
        going.cancel()
        server.free.set()
    assert (going.cancelled(), staying.result()) == (True, 2)
    assert server.writes == [["go on with 0 from 2", "go on with 1 from 2"]]


async def test_what_redis_dropped_is_said_again_at_once_and_does_not_stay_for_ever() -> None:
    server = Server()
    server.dropped = {"1"}
    server.free.set()
    journal = _journal(server)
    assert await asyncio.gather(*(journal.add(answer, [*PIECES], 1) for answer in ANSWERS[:2])) == [2, 2]
    assert server.writes == [
        ["go on with 0 from 2", "go on with 1 from 2"],
        ["add 1 from 1", "expire 1 in 3600"],
    ]


async def test_what_has_ended_stays_a_minute_for_those_who_are_still_reading() -> None:
    server = Server()
    server.free.set()
    await _journal(server).end(ANSWERS[0])
    assert server.writes == [["add 0 to the end", "expire 0 in 60"]]


async def test_a_defect_in_a_write_is_a_write_that_failed_for_all_that_share_it() -> None:
    server = Server()
    server.fails, server.fault = True, ValueError("a defect")
    server.free.set()
    journal = _journal(server)
    with capture_logs() as logs:
        adding = (journal.add(answer, [*PIECES], 1) for answer in ANSWERS)
        assert await asyncio.gather(*adding, journal.end(ANSWERS[0])) == [0, 0, 0, None]
    assert [(line["event"], line["log_level"]) for line in logs] == [("defect in mirroring live logs", "error")]
