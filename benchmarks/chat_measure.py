"""What `benchmarks/chat.py` looks at on one path: how late pieces come, how many, how many streams, how much memory."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.chat_client import Connection, Heard, Refused, connections
from benchmarks.chat_paths import Path
from benchmarks.chat_provider import words

# What a fast model says.
PACE_MS = 20
# What a stream that goes on gets: 20 pieces a second, for longer than anyone listens.
LIVE_PACE_MS, LIVE_PIECES = 50, 4_000
# What one that is idle gets: less than the silence after which a model is given up.
IDLE_PACE_MS, IDLE_PIECES = 10_000, 12

STALL_MS_MAX = 250
# Of the pieces that were said while it was looked: a smooth stream that falls behind is not sustained either.
SHARE_MIN = 0.95
STARTS_PER_SECOND = 50
BEGIN_SECONDS_MAX = 20
END_SECONDS_MAX = 60
SETTLE_SECONDS = 3
POLL_SECONDS = 0.05
SAMPLES = 10
END = b"POST /end HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True)
class Latency:
    """Milliseconds to the first piece, and between two."""

    first_p50: float
    first_p99: float
    gap_p99: float

    def added_to(self, direct: Latency) -> Latency:
        """What this has more than another."""
        return Latency(
            self.first_p50 - direct.first_p50, self.first_p99 - direct.first_p99, self.gap_p99 - direct.gap_p99
        )


def median(latencies: Sequence[Latency]) -> Latency:
    """The median of each figure over several rounds."""
    return Latency(
        statistics.median(one.first_p50 for one in latencies),
        statistics.median(one.first_p99 for one in latencies),
        statistics.median(one.gap_p99 for one in latencies),
    )


@dataclass(frozen=True)
class Round:
    """Answers that came, why others did not, and the seconds that it took."""

    heard: list[Heard]
    faults: list[str]
    seconds: float


@dataclass(frozen=True)
class Live:
    """So many streams at once: the longest stall in ms, the share of the pieces that came, and how many broke off."""

    streams: int
    stall_ms: float
    share: float
    refused: int

    @property
    def sustained(self) -> bool:
        return not self.refused and self.stall_ms <= STALL_MS_MAX and self.share >= SHARE_MIN


def latency(one_round: Round) -> Latency:
    """How late the pieces came."""
    first = [one.first_seconds * 1000 for one in one_round.heard]
    gaps = [gap * 1000 for one in one_round.heard for gap in one.gaps_seconds]
    return Latency(statistics.median(first), _p99(first), _p99(gaps))


def rate(one_round: Round) -> float:
    """Pieces a second."""
    return sum(len(one.pieces) for one in one_round.heard) / one_round.seconds


async def closed(path: Path, streams: int, answers: int, pieces: int, pace_ms: int) -> Round:
    """So many answers, always `streams` of them at once. Refused when none comes."""
    await path.prepare(answers, streams)
    heard: list[Heard] = []
    faults: list[str] = []
    numbers = iter(range(answers))

    async def asking(connection: Connection, late_seconds: float) -> None:
        await asyncio.sleep(late_seconds)
        for _ in numbers:
            one = Heard()
            try:
                await connection.ask(path.request(words(pieces, pace_ms)), one)
            except Refused as error:
                faults.append(str(error))
                continue
            if len(one.pieces) != pieces:
                raise Refused(f"{path.name}: {len(one.pieces)} of {pieces} pieces came")
            heard.append(one)

    async with connections(path.address, streams) as opened:
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, connection in enumerate(opened):
                # People do not begin in step.
                tasks.create_task(asking(connection, number / streams * pieces * pace_ms / 1000))
        seconds = time.perf_counter() - begun
    if not heard:
        raise Refused(f"{path.name}: {faults[0]}")
    return Round(heard, faults, seconds)


async def live(path: Path, provider: str, streams: int, seconds: float) -> Live:
    """So many streams of 20 pieces a second, looked at for so long once all of them have begun."""
    faults: list[str] = []
    begin = end = time.perf_counter()
    async with _crowd(path, provider, streams, words(LIVE_PIECES, LIVE_PACE_MS), faults) as heard:
        if all(one.pieces for one in heard):
            begin = time.perf_counter()
            await asyncio.sleep(seconds)
            end = time.perf_counter()
        refused = len(faults) + sum(not one.pieces for one in heard)
    if refused:
        return Live(streams, float("inf"), 0.0, refused)
    stall = max(_stall(one.pieces, begin, end) for one in heard)
    came = sum(begin <= moment < end for one in heard for moment in one.pieces)
    return Live(streams, stall * 1000, came / ((end - begin) * streams * 1000 / LIVE_PACE_MS), 0)


async def idle(path: Path, provider: str, streams: int) -> dict[str, float]:
    """KiB that each of so many streams takes while nothing is said; nothing is known where some were refused."""
    before, faults = path.resident(), list[str]()
    async with _crowd(path, provider, streams, words(IDLE_PIECES, IDLE_PACE_MS), faults):
        await asyncio.sleep(SETTLE_SECONDS)
        after = path.resident()
    return {} if faults else {name: (after[name] - before[name]) * 1024 / streams for name in before}


async def memory(path: Path, streams: int, turns: int, pieces: int) -> list[dict[str, float]]:
    """MiB of its processes before so many turns and after each tenth of them."""
    samples = [path.resident()]
    for _ in range(SAMPLES):
        await closed(path, streams, turns // SAMPLES, pieces, 0)
        samples.append(path.resident())
    return samples


@asynccontextmanager
async def _crowd(path: Path, provider: str, streams: int, text: str, faults: list[str]) -> AsyncIterator[list[Heard]]:
    """So many answers at once, until the block ends; one that does not begin in time has no pieces then."""
    await path.prepare(streams, streams)
    async with connections(path.address, streams) as opened, asyncio.TaskGroup() as tasks:
        heard, jobs = [Heard() for _ in opened], set[asyncio.Task[None]]()

        async def asking(connection: Connection, one: Heard) -> None:
            try:
                await connection.ask(path.request(text), one)
            except Refused as error:
                faults.append(str(error))

        try:
            for connection, one in zip(opened, heard, strict=True):
                jobs.add(tasks.create_task(asking(connection, one)))
                await asyncio.sleep(1 / STARTS_PER_SECOND)
            await _until(lambda: bool(faults) or all(one.pieces for one in heard), BEGIN_SECONDS_MAX)
            yield heard
        finally:
            # Some may begin only now, so that one word is not enough.
            async with _ending(provider) as end:
                await _until(lambda: all(job.done() for job in jobs), END_SECONDS_MAX, end)
            for connection in opened:
                connection.close()


@asynccontextmanager
async def _ending(provider: str) -> AsyncIterator[Callable[[], None]]:
    """What makes the provider end all that it is saying."""
    host, _, port = provider.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    try:
        yield lambda: writer.write(END)
    finally:
        writer.close()


async def _until(met: Callable[[], bool], seconds_max: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Waits until something is so, but not longer than that."""
    until = time.perf_counter() + seconds_max
    while not met() and time.perf_counter() < until:
        meanwhile()
        await asyncio.sleep(POLL_SECONDS)


def _stall(pieces: Sequence[float], begin: float, end: float) -> float:
    """The longest time without a piece between two moments."""
    moments = [begin, *(moment for moment in pieces if begin <= moment < end), end]
    return max(after - before for before, after in pairwise(moments))


def _p99(numbers: list[float]) -> float:
    ranked = sorted(numbers)
    return ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
