"""One path in `benchmarks/chat.py`, and what was measured on it."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, field

from benchmarks.chat_measure import PACE_MS, Latency, Live, Round, closed, latency, live, median, rate
from benchmarks.chat_paths import Path

# Streams at once; how many answers a round has there, and of how many pieces.
LATENCIES = {1: (30, 16), 16: (96, 64)}
# The same where the model does not take its time.
AT_ONCE, ANSWERS, PIECES = 16, 64, 256
STREAMS = (25, 50, 100, 200, 300, 500, 700, 1000)


@dataclass
class Contender:
    """A path and what was measured on it; `latencies` are by streams at once."""

    path: Path
    latencies: dict[int, list[Latency]] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    live: list[Live] = field(default_factory=list)
    idle: dict[str, float] = field(default_factory=dict)
    memory: list[dict[str, float]] = field(default_factory=list)
    asked: int = 0
    refused: int = 0

    @property
    def name(self) -> str:
        return self.path.name

    async def round(self) -> None:
        """One of those whose medians are taken."""
        for streams, (answers, pieces) in LATENCIES.items():
            one = latency(await self._closed(streams, answers, pieces, PACE_MS))
            self.latencies.setdefault(streams, []).append(one)
            self.tell(f"{streams} at once, first {one.first_p50:.1f}, {one.first_p99:.1f}, gap {one.gap_p99:.1f} ms")
        self.rates.append(rate(await self._closed(AT_ONCE, ANSWERS, PIECES, 0)))
        self.tell(f"{self.rates[-1]:,.0f} pieces a second")

    async def _closed(self, streams: int, answers: int, pieces: int, pace_ms: int) -> Round:
        one = await closed(self.path, streams, answers, pieces, pace_ms)
        self.asked += answers
        self.refused += len(one.faults)
        if one.faults:
            self.tell(f"{len(one.faults)} of {answers} refused, such as: {one.faults[0]}")
        return one

    async def climbed(self, provider: str, streams_max: int, seconds: float) -> None:
        """More and more streams, until they are too many; a hiccup is forgiven once."""
        for streams in (number for number in STREAMS if number <= streams_max):
            for _ in range(2):
                one = await live(self.path, provider, streams, seconds)
                self.tell(f"{streams} live: stall {one.stall_ms:,.0f} ms, {one.share:.0%} came, {one.refused} refused")
                if one.sustained:
                    break
            self.live.append(one)
            if not one.sustained:
                return

    def median(self, streams: int) -> Latency:
        return median(self.latencies[streams])

    def added(self, streams: int, direct: Contender) -> Latency:
        """What this path adds to the direct one, round by round."""
        both = zip(self.latencies[streams], direct.latencies[streams], strict=True)
        return median([own.added_to(other) for own, other in both])

    @property
    def per_second(self) -> float:
        return statistics.median(self.rates)

    @property
    def live_streams(self) -> int:
        """The most that were sustained."""
        return max((one.streams for one in self.live if one.sustained), default=0)

    def tell(self, what: str) -> None:
        print(f"{self.name}: {what}", file=sys.stderr)
