"""What nobody foresaw in sharing what people ask for ends no process."""

import asyncio
from contextlib import suppress
from typing import Any

from services.search_svc.versions.recent import Recent

WAIT_SECONDS = 60.0


class Shared:
    """Writing to it fails as nobody foresaw; `asked` tells how often."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)

    def pipeline(self, **_: object) -> Any:
        self.asked.release()
        raise RuntimeError("nobody foresaw this")


async def test_a_defect_in_sharing_recent_queries_is_tried_again() -> None:
    shared: Any = Shared()
    recent = Recent(shared, flush_seconds=0.0)
    running = asyncio.create_task(recent.run())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            for _ in range(3):
                recent.record("sherlock", frozenset())
                await shared.asked.acquire()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
