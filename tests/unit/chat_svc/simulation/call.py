"""A call between processes: replies that wait for whoever reads them, a few at most, and how it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

# What a slow reader has not taken yet; then whoever writes waits.
WINDOW = 3


class Call:
    """What lies between a handler and whom it speaks to."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self._replies: deque[Any] = deque()
        self._over = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    async def serve(self, handler: Callable[[], AsyncGenerator[Any, None]]) -> None:
        try:
            async with aclosing(handler()) as replies:
                async for reply in replies:
                    await self._until(lambda: len(self._replies) < WINDOW)
                    self._replies.append(reply)
                    self._changed.set()
        except Exception as error:
            self.fail(error)
        else:
            self.fail(None)

    async def taken(self) -> Any:
        """The next reply; None when there are no more, or the error that the call ended with."""
        await self._until(lambda: bool(self._replies) or self._over)
        if self._replies:
            reply = self._replies.popleft()
            self._changed.set()
            return reply
        if self._error is not None:
            raise self._error
        return None

    def fail(self, error: Exception | None) -> None:
        """No more replies will come."""
        if not self._over:
            self._over, self._error = True, error
            self._changed.set()

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await self._changed.wait()
