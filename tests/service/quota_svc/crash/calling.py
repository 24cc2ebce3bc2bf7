"""One request until it is answered: again and again under the same id, at one replica after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import grpc

from runtime.status import error_info
from tests.service.quota_svc.crash.journal import Journal
from tests.service.quota_svc.crash.replicas import Replica

ATTEMPT_SECONDS = 2.0
# Some lose patience while the ledger is at work, and ask the next replica for the same.
IMPATIENT = 0.15
IMPATIENT_SECONDS_MAX = 0.05
ANSWER_SECONDS_MAX = 180.0
PAUSE_SECONDS_MIN = 0.01
PAUSE_SECONDS_MAX = 0.5

Metadata = tuple[tuple[str, str], ...]

# What the contract lets be refused here; any other error is a defect.
REFUSALS = frozenset({"QUOTA_EXHAUSTED", "HOLD_RESOLVED", "AMOUNT_BELOW_HOLD", "AMOUNT_EXCEEDS_HOLD"})
AGAIN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


@dataclass(frozen=True, slots=True)
class Told:
    """The answer, or the reason why there is none; `certain` when no earlier attempt's fate is unknown."""

    answer: Any
    reason: str
    certain: bool


class Calling:
    """Calls of one client."""

    def __init__(self, replicas: Sequence[Replica], journal: Journal, random: Random) -> None:
        self._replicas = replicas
        self._journal = journal
        self._random = random
        self._turn = random.randrange(len(replicas))

    async def answer(self, peer: str, method: str, request: Any, metadata: Metadata = ()) -> Told:
        """What it is told in the end; TimeoutError when nobody answers for long."""
        certain = True
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            for attempt in count():
                self._turn += 1
                stub = self._replicas[self._turn % len(self._replicas)].stub(peer)
                try:
                    if stub is not None:
                        answer = await getattr(stub, method)(
                            request, timeout=self._patience_seconds(attempt), metadata=metadata
                        )
                        return Told(answer, "", certain)
                except grpc.aio.AioRpcError as error:
                    reason = error_info(error).reason
                    if reason in REFUSALS:
                        return Told(None, reason, certain)
                    if error.code() not in AGAIN and reason != "QUEUE_FULL":
                        raise
                    self._journal.retries[reason or error.code().name] += 1
                    certain = certain and reason == "QUEUE_FULL"
                await asyncio.sleep(self._pause_seconds(attempt))
        raise AssertionError("unreachable")

    def _patience_seconds(self, attempt: int) -> float:
        impatient = attempt == 0 and self._random.random() < IMPATIENT
        return self._random.uniform(0, IMPATIENT_SECONDS_MAX) if impatient else ATTEMPT_SECONDS

    def _pause_seconds(self, attempt: int) -> float:
        longest = PAUSE_SECONDS_MIN * (1 << min(attempt, 10))
        return min(PAUSE_SECONDS_MAX, longest) * self._random.uniform(0.5, 1.5)
