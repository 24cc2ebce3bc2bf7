"""What nobody foresaw in renewing the lease of a build does not end the renewals."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.version import Failed, Order, Outcome, State, Version
from services.search_svc.versions import building as module
from services.search_svc.versions.building import Building

WAIT_SECONDS = 60.0
NOW = datetime(2026, 11, 21, tzinfo=UTC)
OUTCOME = Failed("The test wants it so.")


class Versions:
    """A build is wanted. Renewing its lease fails the first two times as nobody foresaw; then it is `renewed`."""

    def __init__(self) -> None:
        self.renewed = asyncio.Event()
        self.finished: list[Outcome] = []
        self._faults = 2

    async def begin(self, *_: object) -> Order:
        return Order(1)

    async def renew(self, _: int, __: UUID, ___: datetime) -> bool:
        if self._faults:
            self._faults -= 1
            raise RuntimeError("nobody foresaw this")
        self.renewed.set()
        return True

    async def finish(self, number: int, _: UUID, outcome: Outcome, __: timedelta, now: datetime) -> Version:
        self.finished.append(outcome)
        return Version(number, State.FAILED, now)

    async def unwanted(self, _: Sequence[int]) -> list[int]:
        return []


class Files:
    """There are none."""

    def numbers(self) -> list[int]:
        return []


async def test_a_lease_is_renewed_after_a_defect_in_its_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEWALS_A_LEASE", float("inf"))
    versions: Any = Versions()
    files: Any = Files()

    async def build(_: Order, __: Sequence[Asked]) -> Outcome:
        await versions.renewed.wait()
        return OUTCOME

    async def queries() -> Sequence[Asked]:
        return []

    building = Building(versions, files, build, queries, lambda: None, uuid4(), lambda: NOW)
    async with asyncio.timeout(WAIT_SECONDS):
        assert await building.turn()
    assert versions.finished == [OUTCOME]
