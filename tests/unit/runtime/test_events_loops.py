"""What nobody foresaw in the loops around the outbox and the inbox ends no process."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.events import consumer, outage
from runtime.events.consumer import Consumer
from runtime.events.handling import Handling
from runtime.events.reading import Reading
from runtime.events.relay import Relay

WAIT_SECONDS = 60.0
UNUSED: Any = None


class Connections:
    """Whoever asks for one meets what nobody foresaw; `asked` tells how often."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)

    async def acquire(self, **_: object) -> None:
        self.asked.release()
        raise RuntimeError("nobody foresaw this")


async def thrice(work: Coroutine[Any, Any, None], connections: Connections) -> set[str]:
    """What is logged as a defect until the work has met it three times; then it is cancelled."""
    with capture_logs() as logs:
        async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(work)
            for _ in range(3):
                await connections.asked.acquire()
            running.cancel()
    return {one["event"] for one in logs if one.get("exc_info")}


async def test_the_outbox_is_published_again_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE_SECONDS_MIN", 0.0)
    monkeypatch.setattr(outage, "PAUSE_SECONDS_MAX", 0.0)
    connections: Any = Connections()
    assert await thrice(Relay(connections, UNUSED).run(), connections) == {"defect in publishing the outbox"}


async def test_a_topic_is_read_again_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE_SECONDS_MIN", 0.0)
    monkeypatch.setattr(outage, "PAUSE_SECONDS_MAX", 0.0)
    connections: Any = Connections()
    reading = Reading(UNUSED, UNUSED, UNUSED, Handling("shop", {"quota": UNUSED}), "quota", ())
    monkeypatch.setattr(reading, "_position", connections.acquire)
    assert await thrice(reading.run(), connections) == {"defect in reading events"}


async def test_the_inbox_is_cleaned_again_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "CLEANUP_SECONDS", 0.0)
    connections: Any = Connections()
    cleaning = Consumer(connections, UNUSED, "shop", {}).run()
    assert await thrice(cleaning, connections) == {"defect in cleaning the inbox"}
