"""Load: as much as goes, or so much a second, and what it did to latency."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Result:
    """`per_second` calls came back; latencies are in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def closed(call: Call, calls: int, at_once: int) -> Result:
    """`calls` calls, always `at_once` of them in flight."""
    latencies: list[float] = []
    numbers = iter(range(calls))

    async def caller() -> None:
        for number in numbers:
            begun = time.perf_counter()
            await call(number)
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(caller())
    return _result(latencies, time.perf_counter() - begun)


async def paced(call: Call, calls: int, per_second: float) -> Result:
    """`calls` calls, begun at that pace whether or not earlier ones are back; latency counts from the planned begin."""
    latencies: list[float] = []
    begun = time.perf_counter()

    async def one(number: int) -> None:
        planned = begun + number / per_second
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        await call(number)
        latencies.append(time.perf_counter() - planned)

    async with asyncio.TaskGroup() as tasks:
        for number in range(calls):
            tasks.create_task(one(number))
    return _result(latencies, time.perf_counter() - begun)


def median(results: list[Result]) -> Result:
    """The median of each figure over several rounds."""
    return Result(
        statistics.median(one.per_second for one in results),
        statistics.median(one.p50_ms for one in results),
        statistics.median(one.p99_ms for one in results),
    )


def _result(latencies: list[float], seconds: float) -> Result:
    ranked = sorted(latencies)
    p99 = ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
    return Result(len(ranked) / seconds, statistics.median(ranked) * 1000, p99 * 1000)
