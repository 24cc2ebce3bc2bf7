"""Rounds of a group: answers that follow one another, one at a time.

A round is a job of this process, as its answers are: whoever hangs up does not end it. An answer says from its
beginning which one is to follow, so that whoever watches knows what to watch next. A round whose process dies ends by
itself: the last answer's lease lapses, and nothing has begun.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from runtime.context import REQUEST_ID, request_id
from runtime.errors import MeshError
from services.chat_svc.answering.generations import Generations
from services.chat_svc.answering.speech import Draft
from services.chat_svc.domain.conversation import Conversation, Message, State, next_id
from services.chat_svc.domain.routing import Choice
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.store import Answers, Begun
from services.chat_svc.store import Rounds as Kept
from services.chat_svc.turning.opening import Beginning, Opening

log = structlog.get_logger()


@dataclass
class Round:
    """What is left of a round: those who are still to speak. It has cost `charged` units so far."""

    choice: Choice
    rest: tuple[str, ...]
    credits_max: int | None
    pause_seconds: int
    charged: int = 0

    @classmethod
    def of(cls, conversation: Conversation, speakers: tuple[str, ...], choice: Choice) -> Round:
        """A round in which the first of the speakers is about to speak."""
        group = conversation.group
        return cls(choice, speakers[1:], group.credits_max if group else None, group.pause_seconds if group else 0)

    @property
    def units_left(self) -> int | None:
        """Units that it may still cost; None where that is not limited."""
        return None if self.credits_max is None else self.credits_max - self.charged

    def pays(self, price: int) -> bool:
        """Whether the round may cost one more turn of this price."""
        return self.units_left is None or price <= self.units_left


class Rounds:
    """A context manager, within that of the generations: at its end no answer follows any more."""

    def __init__(
        self, opening: Opening, generations: Generations, scenes: Scenes, answers: Answers, kept: Kept
    ) -> None:
        self._opening = opening
        self._generations = generations
        self._scenes = scenes
        self._answers = answers
        self._kept = kept
        self._over = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Rounds:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if error[0] is None:
            self._over.set()
        await self._tasks.__aexit__(*error)

    async def begin(self, beginning: Beginning, left: Round) -> Begun:
        """The answer that is now being made, or that a twin of this call began; the others follow it."""
        beginning = replace(beginning, next=next_id(beginning.answer) if left.rest else None)
        start = partial(self._start, beginning.conversation, left)
        return await self._generations.carried(self._opening.open(beginning, start))

    def _start(self, conversation: Conversation, left: Round, answer: Message, draft: Draft) -> None:
        job = self._generations.start(answer, draft, partial(self._ended, left), left.units_left)
        if answer.next is None or self._over.is_set():
            return
        # A context of its own: the deadline of the call that began the round is not the round's.
        context = Context()
        context.run(REQUEST_ID.set, request_id())
        self._tasks.create_task(self._follow(conversation, left, answer, job), context=context)

    def _ended(self, left: Round, answer: Message) -> Message:
        """An answer as it ended, which says only then that one follows when one may."""
        left.charged += answer.charged
        goes_on = not self._over.is_set() and left.pays(answer.price)
        return answer if goes_on else replace(answer, next=None)

    async def _follow(self, conversation: Conversation, left: Round, answer: Message, job: asyncio.Task[None]) -> None:
        try:
            await self._is_over(job)
            if not job.done():
                # Its end will say that none follows.
                return
            answer = (await self._answers.get(answer.user, answer.conversation, answer.id)).answer
            if answer.state is State.STREAMING or answer.next is None:
                return
            try:
                await self._next(conversation, left, answer)
            except MeshError as error:
                log.info("round ends early", after=str(answer.id), reason=error.reason)
                await self._kept.end(answer)
        except MeshError as error:
            log.warning("round ends by itself", after=str(answer.id), reason=error.reason)
        except Exception:
            log.exception("defect in a round", after=str(answer.id))

    async def _next(self, conversation: Conversation, left: Round, answer: Message) -> None:
        """Begins the answer that follows."""
        if await self._is_over(seconds=left.pause_seconds):
            await self._kept.end(answer)
            return
        assert answer.next is not None  # noqa: S101 (it is why this is called)
        conversation = replace(conversation, current=answer.id)
        speaker, left.rest = left.rest[0], left.rest[1:]
        beginning = Beginning(
            conversation,
            answer.next,
            partial(self._scenes.scene, conversation, speaker, answer.id, None),
            (),
            left.choice,
            question=None,
            parent=answer.id,
            follows=True,
            units_max=left.units_left,
        )
        await self.begin(beginning, left)

    async def _is_over(self, job: asyncio.Task[None] | None = None, seconds: float | None = None) -> bool:
        """Waits until the job has ended, or for so long; whether no answer follows any more."""
        if seconds == 0:
            return self._over.is_set()
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([over, *([job] if job else [])], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        return self._over.is_set()
