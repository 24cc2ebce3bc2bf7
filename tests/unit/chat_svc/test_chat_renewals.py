"""How often leases are renewed, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

import pytest

from runtime.errors import Unavailable
from runtime.postgres import RESERVED_SECONDS
from services.chat_svc.answering.generations import RENEWAL_SECONDS, Generations
from services.chat_svc.store.answers import LEASE_SECONDS, Renewed
from tests.unit.chat_svc.simulation.world import World

ANSWER = UUID(int=1)
FAILURES = 3
AWAY = Unavailable("Away.", reason="DATABASE_UNAVAILABLE")


class Answers:
    """Each try takes so many seconds; between two that renew, `failures` of them fail."""

    def __init__(self, seconds: float, failures: int, error: Exception) -> None:
        self.began: list[float] = []
        self._seconds = seconds
        self._failures = failures
        self._error = error

    async def renew(self, running: Collection[UUID], unmirrored: Collection[UUID]) -> Renewed:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)
        if (len(self.began) - 1) % (self._failures + 1):
            raise self._error
        return Renewed(frozenset(running), frozenset())


class Going:
    """An answer that is being made."""

    is_behind = False

    def interrupt(self) -> None:
        pass


@pytest.mark.parametrize("seconds", [0.0, RESERVED_SECONDS / 2, RESERVED_SECONDS])
@pytest.mark.parametrize("error", [AWAY, ValueError("a defect")])
def test_a_lease_outlives_three_renewals_that_fail_however_long_each_takes(seconds: float, error: Exception) -> None:
    began = _run(Answers(seconds, FAILURES, error), tries=2 * (FAILURES + 1) + 1)
    renewed = began[:: FAILURES + 1]
    assert len(renewed) == 3
    assert all(again - before < LEASE_SECONDS for before, again in pairwise(renewed))


def test_renewals_keep_their_time_however_long_each_takes() -> None:
    began = _run(Answers(RESERVED_SECONDS / 2, 0, AWAY), tries=4)
    assert [again - before for before, again in pairwise(began)] == pytest.approx([RENEWAL_SECONDS] * 3)


def _run(answers: Answers, tries: int) -> list[float]:
    """When each of so many tries began."""

    async def renewing() -> None:
        nobody = cast("Any", None)
        async with Generations(cast("Any", answers), nobody, nobody, nobody, nobody, 0.0) as generations:
            generations._running[ANSWER] = cast("Any", Going())
            while len(answers.began) < tries:
                await asyncio.sleep(0.1)

    World().live(renewing())
    return answers.began
