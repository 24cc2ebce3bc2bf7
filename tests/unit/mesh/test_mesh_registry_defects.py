"""What nobody foresaw in following the registry ends no mesh."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from mesh import registry

WAIT_SECONDS = 60.0


class Keys:
    """Whoever looks meets what nobody foresaw; `asked` tells how often."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)

    async def info(self, _: str) -> None:
        self.asked.release()
        raise RuntimeError("nobody foresaw this")


async def test_the_registry_is_followed_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "POLL_SECONDS", 0.0)
    keys: Any = Keys()
    with capture_logs() as logs:
        async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
            following = tasks.create_task(registry.follow(keys, lambda _: None))
            for _ in range(3):
                await keys.asked.acquire()
            following.cancel()
    assert {one["event"] for one in logs if one.get("exc_info")} == {"defect in following the registry"}
