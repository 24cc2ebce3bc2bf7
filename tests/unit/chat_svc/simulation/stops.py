"""Stops as the process hears them that makes the answer, and which answer a model's stream is for."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chat_svc.answering.generation import Generation
from services.chat_svc.answering.generations import Generations


@dataclass(frozen=True)
class Job:
    """An answer that a process makes."""

    owner: UUID
    answer: UUID


@dataclass(frozen=True)
class Heard:
    """A stop that the process that makes an answer heard of."""

    job: Job
    at: float


# The answer that is made in this context.
JOB: ContextVar[Job] = ContextVar("JOB")


class StoppedGenerations(Generations):
    """One process's answers; the stops that it hears of are noted."""

    def __init__(self, owner: UUID, heard: list[Heard], *parts: Any) -> None:
        super().__init__(*parts)
        self._owner = owner
        self._heard = heard

    def stop(self, answer: UUID, where: tuple[str, UUID] | None = None) -> bool:
        is_here = super().stop(answer, where)
        if is_here:
            self._heard.append(Heard(Job(self._owner, answer), asyncio.get_running_loop().time()))
        return is_here

    async def _run(self, generation: Generation) -> None:
        JOB.set(Job(self._owner, generation.answer.id))
        await super()._run(generation)
