"""What nobody foresaw in renewing a lease takes no process out of the registry."""

import asyncio
from typing import Any

import pytest

from runtime import registry

WAIT_SECONDS = 60.0


class Keys:
    """The first renewal fails as nobody foresaw; `written` tells of every write that did not."""

    def __init__(self) -> None:
        self.written = asyncio.Semaphore(0)
        self.deleted: list[str] = []
        self._writes = 0

    async def set(self, _: str, __: str, **___: object) -> None:
        self._writes += 1
        if self._writes == 2:
            raise RuntimeError("nobody foresaw this")
        self.written.release()

    async def delete(self, name: str) -> None:
        self.deleted.append(name)


async def test_a_lease_is_renewed_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RENEWAL_SECONDS", 0.0)
    keys: Any = Keys()
    async with asyncio.timeout(WAIT_SECONDS), registry.lease(keys, "search", "127.0.0.1:1"):
        for _ in range(3):
            await keys.written.acquire()
    assert len(keys.deleted) == 1
