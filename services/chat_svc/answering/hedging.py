"""A model that is slow with its first word gets company: whoever speaks first goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.chat_svc.answering.voice import Voice
from services.chat_svc.domain.fault import ModelFault, Next
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.routing import Decision

log = structlog.get_logger()

Choice = tuple[Decision, Model]


class Race:
    """Asks one model and, where its first word is late, another one as well; `ask` gives a first word, or ModelFault.

    The second one is a bonus: that it fails or refuses is no reason to wait no longer for the first. Nor does a defect
    of one, or a stream that cannot be closed, take the other one along.
    """

    def __init__(self, ask: Callable[[Decision, Model], Awaitable[Voice]]) -> None:
        self.outrun: tuple[Model, ...] = ()
        self._ask = ask
        self._running: dict[str, Model] = {}
        self._voices: list[Voice] = []
        self._faults: list[ModelFault] = []
        self._defects: list[Exception] = []
        self._over = False

    async def winner(self, first: Choice, another: Callable[[], Choice | None], after_seconds: float) -> Voice:
        """Who spoke first; `outrun` are those whose streams were closed for it.

        Raises the fault that counts if nobody did; a defect only where there is no fault.
        """
        try:
            await self._run(first, another, after_seconds)
            for late in self._voices[1:]:
                await self._leave(late)
        except BaseException:
            for voice in self._voices:
                await self._leave(voice)
            raise
        for voice in self._voices[:1]:
            del self._running[voice.model.id]
        self.outrun = tuple(self._running.values())
        if not self._voices:
            final = (fault for fault in self._faults if fault.following is Next.NOBODY)
            raise next(final, [*self._defects, *self._faults][-1])
        return self._voices[0]

    async def _run(self, first: Choice, another: Callable[[], Choice | None], after_seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            _, waiting = await asyncio.wait({tasks.create_task(self._one(first, decides=True))}, timeout=after_seconds)
            if waiting and (second := another()) is not None:
                waiting.add(tasks.create_task(self._one(second, decides=False)))
            while waiting and not self._over:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    async def _one(self, choice: Choice, *, decides: bool) -> None:
        """`decides`: that this one refuses ends the answer, as it would without a race."""
        _, model = choice
        self._running[model.id] = model
        try:
            self._voices.append(await self._ask(*choice))
            self._over = True
        except ModelFault as fault:
            self._faults.append(fault)
            del self._running[model.id]
            self._over = self._over or (decides and fault.following is Next.NOBODY)
        except Exception as defect:
            log.exception("defect in a race", model=model.id)
            self._defects.append(defect)
            del self._running[model.id]

    async def _leave(self, voice: Voice) -> None:
        """Nobody listens to it any more, however that goes."""
        try:
            await voice.close()
        except ModelFault:
            # That is noted already: it was not outrun, it failed.
            self._running.pop(voice.model.id, None)
        except Exception:
            log.exception("a model's stream could not be closed", model=voice.model.id)
