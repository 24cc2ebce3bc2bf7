"""What goes wrong when an answer is gone on with ends nobody else's."""

import asyncio
from inspect import signature
from types import TracebackType
from typing import Any

from services.chat_svc.answering.going_on import GoingOn


class Left:
    """Answers of which the database says what nobody foresaw."""

    def __init__(self) -> None:
        self.looked = asyncio.Semaphore(0)

    async def take_offered(self) -> list[Any]:
        self.looked.release()
        raise ValueError("nobody foresaw this")


class Channel:
    """Something is heard all the time."""

    def pubsub(self) -> "Channel":
        return self

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def subscribe(self, _: str) -> None:
        """There is one channel."""

    async def get_message(self, **_: object) -> None:
        await asyncio.sleep(0)


async def test_a_defect_in_taking_what_others_leave_does_not_end_the_process() -> None:
    left = Left()
    nobody: dict[str, Any] = dict.fromkeys(signature(GoingOn).parameters)
    going_on = GoingOn(**{**nobody, "answers": left, "waiting": Channel()})
    running = asyncio.create_task(going_on.run())
    async with asyncio.timeout(60):
        for _ in range(3):
            await left.looked.acquire()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
