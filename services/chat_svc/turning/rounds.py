"""Rounds of a group: answers that follow one another, one at a time.

A round is a job of the process that makes its answers: whoever hangs up does not end it. An answer says from its
beginning which one is to follow, so that whoever watches knows what to watch next. Who takes an answer over takes its
round over; and where a process ends or dies between two answers, another one begins the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from runtime.context import REQUEST_ID, request_id
from runtime.errors import MeshError
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.generations import Generations
from services.chat_svc.domain.conversation import Conversation, Message, State, next_id
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.store import Answers, Begun, Conversations
from services.chat_svc.store import Rounds as Kept
from services.chat_svc.turning.opening import Beginning, Opening

log = structlog.get_logger()


class Rounds:
    """A context manager, within that of the generations: at its end no answer follows here any more.

    `new_id` gives an id for a request.
    """

    def __init__(
        self,
        opening: Opening,
        generations: Generations,
        scenes: Scenes,
        conversations: Conversations,
        answers: Answers,
        kept: Kept,
        new_id: Callable[[], UUID],
    ) -> None:
        self._opening = opening
        self._generations = generations
        self._scenes = scenes
        self._conversations = conversations
        self._answers = answers
        self._kept = kept
        self._new_id = new_id
        self._over = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Rounds:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if error[0] is None:
            self._over.set()
        await self._tasks.__aexit__(*error)

    async def begin(self, beginning: Beginning, plan: Plan) -> Begun:
        """The answer that is now being made, or that a twin of this call began; the others follow it."""
        return await self._generations.carried(self._first(beginning, Round(plan)))

    async def go_on(self, conversation: Conversation, answer: Message, draft: Draft, handover: Handover) -> None:
        """Goes on with an answer that another process began, and with its round."""
        under_way = await self._kept.under_way(answer) if answer.next is not None else None
        if under_way is None:
            self._generations.start(answer, draft, _alone, *_left_to_cost(handover))
        else:
            self._start(conversation, under_way, answer, draft, *_left_to_cost(handover))

    async def under_way(self, answer: Message) -> Round | None:
        """The round of an answer that its process left; None where nobody follows, as far as that is known."""
        return await self._kept.under_way(answer) if answer.next is not None else None

    async def take_late(self) -> None:
        """Goes on with rounds whose process ended, or died, between two answers."""
        for answer in await self._kept.take_late():
            under_way = await self._kept.under_way(answer)
            if under_way is None:
                # It was to be stopped, or is not known any more.
                await self._kept.end(answer)
            else:
                under_way.charged += answer.charged
                self.follow(under_way, answer, pause_seconds=0)

    def follow(self, under_way: Round, answer: Message, pause_seconds: int | None = None) -> None:
        """Goes on behind an answer of another process, which has ended; the plan's pause comes first."""
        if self._over.is_set():
            return
        seconds = under_way.plan.pause_seconds if pause_seconds is None else pause_seconds
        log.info("round goes on", after=str(answer.id))
        self._later(self._taken(under_way, answer, seconds))

    async def _first(self, beginning: Beginning, left: Round) -> Begun:
        begun = await self._open(beginning, left)
        if begun.new and left.has_more:
            try:
                await self._kept.keep(begun.answer, left.plan)
                left.kept = True
            except MeshError as error:
                log.warning("round is this process's alone", first=str(begun.answer.id), reason=error.reason)
        return begun

    async def _open(self, beginning: Beginning, left: Round) -> Begun:
        beginning = replace(beginning, next=next_id(beginning.answer) if left.has_more else None)

        def start(answer: Message, draft: Draft) -> None:
            self._start(beginning.conversation, left, answer, draft, left.units_left)

        return await self._opening.open(beginning, start)

    def _start(
        self,
        conversation: Conversation,
        left: Round,
        answer: Message,
        draft: Draft,
        units_max: int | None,
        turns_held: int = 1,
        turns_max: int | None = None,
    ) -> None:
        job = self._generations.start(answer, draft, partial(self._ended, left), units_max, turns_held, turns_max)
        if answer.next is not None and not self._over.is_set():
            self._later(self._follow(conversation, left, answer, job))

    def _ended(self, left: Round, answer: Message) -> Message:
        """An answer as it ended, which says only then that one follows when one may."""
        left.charged += answer.charged
        goes_on = (left.kept or not self._over.is_set()) and left.pays(answer.price)
        return answer if goes_on else replace(answer, next=None)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        # A context of its own: the deadline of the call that began the round is not the round's.
        context = Context()
        context.run(REQUEST_ID.set, request_id())
        self._tasks.create_task(work, context=context)

    async def _follow(self, conversation: Conversation, left: Round, answer: Message, job: asyncio.Task[None]) -> None:
        """Begins the answer that follows, once this one has ended here."""
        try:
            await self._is_over(job)
            if not job.done():
                # Whoever takes the answer goes on; and where it ends here yet, whoever looks for what is late.
                return
            answer = (await self._answers.get(answer.user, answer.conversation, answer.id)).answer
            # One that failed has been ended by another process, which goes on.
            if answer.state is State.COMPLETE and answer.next is not None:
                await self._next_or_end(conversation, left, answer, left.plan.pause_seconds, request=answer.next)
        except MeshError as error:
            log.warning("round ends by itself", after=str(answer.id), reason=error.reason)
        except Exception:
            log.exception("defect in a round", after=str(answer.id))

    async def _taken(self, under_way: Round, answer: Message, pause_seconds: int) -> None:
        """Begins the answer that follows on one of another process."""
        try:
            conversation = await self._conversations.conversation(answer.user, answer.conversation)
            # The other process may be slow and live: what it holds is its own to give back.
            await self._next_or_end(conversation, under_way, answer, pause_seconds, request=self._new_id())
        except MeshError as error:
            log.warning("round ends by itself", after=str(answer.id), reason=error.reason)
        except Exception:
            log.exception("defect in a round", after=str(answer.id))
            # Otherwise every process would come upon it.
            try:
                with suppress(MeshError):
                    await self._kept.end(answer)
            except Exception:
                # Out of here it would end the process, with every answer that is made in it.
                log.exception("defect in ending a round", after=str(answer.id))

    async def _next_or_end(
        self, conversation: Conversation, left: Round, answer: Message, pause_seconds: int, request: UUID
    ) -> None:
        if await self._is_over(seconds=pause_seconds):
            await (self._kept.leave(answer) if left.kept else self._kept.end(answer))
            return
        try:
            await self._next(conversation, left, answer, request)
        except MeshError as error:
            log.info("round ends early", after=str(answer.id), reason=error.reason)
            await self._kept.end(answer)

    async def _next(self, conversation: Conversation, left: Round, answer: Message, request: UUID) -> None:
        assert answer.next is not None  # noqa: S101 (it is why this is called)
        conversation = replace(conversation, current=answer.id)
        left.place += 1
        beginning = Beginning(
            conversation,
            answer.next,
            partial(self._scenes.scene, conversation, left.speaker, answer.id, None),
            (),
            left.plan.choice,
            question=None,
            parent=answer.id,
            follows=True,
            units_max=left.units_left,
            sees=left.plan.sees,
            request=request,
        )
        await self._generations.carried(self._open(beginning, left))

    async def _is_over(self, job: asyncio.Task[None] | None = None, seconds: float | None = None) -> bool:
        """Waits until the job has ended, or for so long; whether no answer follows here any more."""
        if seconds == 0:
            return self._over.is_set()
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([over, *([job] if job else [])], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        return self._over.is_set()


def _alone(answer: Message) -> Message:
    """The answer as it ended: of its round nothing is known."""
    return replace(answer, next=None)


def _left_to_cost(handover: Handover) -> tuple[int | None, int, int | None]:
    """Units and turns as `Generations.start` takes them."""
    return handover.units_max, handover.turns, handover.turns_max
