"""What is made beside the answers, off the path that anybody waits on: titles, summaries, follow-ups.

Nothing of it is needed: where a process is busy, ends or fails at it, it is made after a later answer, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, TypeVar
from uuid import UUID

import structlog

from runtime.errors import MeshError
from services.chat_svc.domain.conversation import Message, State

log = structlog.get_logger()

# In a process, at a time.
CONVERSATIONS_MAX = 8

Value = TypeVar("Value")


class Asides:
    """A context manager, at whose end everything is dropped. `works` are done after every answer, one after another."""

    def __init__(self, works: Sequence[Callable[[Message], Awaitable[None]]]) -> None:
        self._works = works
        # By conversation: the newest answer that is still to be seen to.
        self._busy: dict[UUID, Message | None] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._open = False
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Asides:
        await self._tasks.__aenter__()
        self._open = True
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._open = False
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(*error)

    def closed(self, answer: Message) -> None:
        """An answer has ended and is kept."""
        if answer.state is not State.COMPLETE:
            return
        if answer.conversation in self._busy:
            self._busy[answer.conversation] = answer
            return
        if len(self._busy) >= CONVERSATIONS_MAX:
            log.info("no time for asides", conversations=len(self._busy))
            return
        self._busy[answer.conversation] = answer
        if self.begin(self._after(answer.conversation)) is None:
            del self._busy[answer.conversation]

    def begin(self, work: Coroutine[Any, Any, Value]) -> asyncio.Task[Value | None] | None:
        """Does something that fails without harm, whose result is None then; None where the process ends."""
        if not self._open:
            work.close()
            return None
        # A context of its own: the deadline of the call that it comes from is not its deadline.
        task = self._tasks.create_task(_harmless(work), context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _after(self, conversation: UUID) -> None:
        try:
            while (answer := self._busy[conversation]) is not None:
                self._busy[conversation] = None
                for work in self._works:
                    await _harmless(work(answer))
        finally:
            del self._busy[conversation]


async def _harmless(work: Awaitable[Value]) -> Value | None:
    try:
        return await work
    except MeshError as error:
        log.info("aside left", reason=error.reason)
    except Exception:
        log.exception("defect in an aside")
    return None
