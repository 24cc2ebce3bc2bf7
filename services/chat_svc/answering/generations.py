"""The answers that this process makes: as long as the process lives, whether or not anyone listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog

from runtime.context import DEADLINE, REQUEST_ID, request_id
from runtime.errors import Aborted, Unavailable
from services.chat_svc.answering.closing import Closing
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.generation import Generation
from services.chat_svc.answering.handing_over import Offering
from services.chat_svc.answering.journal import Journal
from services.chat_svc.answering.live import LiveLog
from services.chat_svc.answering.paying import Paying
from services.chat_svc.answering.speech import Speech
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.estimate import turns_of
from services.chat_svc.domain.log import explained
from services.chat_svc.domain.model import Prices
from services.chat_svc.siblings import Quota
from services.chat_svc.store import Answers

log = structlog.get_logger()

# The server has waited for those who watch by then; so long may go on what nobody watches.
FINISH_SECONDS_MAX = 0.5

# Leases last 5 s. A try that fails is followed by the next one within a second, which is what each may take: three may
# fail before another process takes over.
RENEWAL_SECONDS = 1.5
AGAIN_SECONDS = 1.0

Value = TypeVar("Value")


class Generations:
    """A context manager. At its end answers have a moment to finish, at most `drain_seconds`.

    Then they are left to other processes, and end as interrupted where no other one takes them.
    """

    def __init__(
        self,
        answers: Answers,
        speech: Speech,
        journal: Journal,
        closing: Closing,
        quota: Quota,
        drain_seconds: float,
        offering: Offering | None = None,
    ) -> None:
        self._answers = answers
        self._quota = quota
        self._speech = speech
        self._journal = journal
        self._closing = closing
        self._finish_seconds = min(drain_seconds, FINISH_SECONDS_MAX)
        self._offering = offering
        self._running: dict[UUID, Generation] = {}
        self._preparing: dict[UUID, asyncio.Timeout] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        # Whether what is begun from now on is left at once.
        self.drained = False
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Generations:
        await self._tasks.__aenter__()
        self._renewal = self._tasks.create_task(self._renew())
        return self

    async def __aexit__(self, *error: Any) -> None:
        if error[0] is None:
            await self._drain()
        self._renewal.cancel()
        await self._tasks.__aexit__(*error)

    @property
    def running(self) -> frozenset[UUID]:
        """The answers that are this process's to make."""
        return frozenset((*self._running, *self._preparing))

    @asynccontextmanager
    async def preparing(self, answer: UUID) -> AsyncIterator[None]:
        """The answer is about to be gone on with: its lease is renewed. ABORTED (LEASE_LOST) when that is lost."""
        owned = asyncio.timeout(None)
        try:
            async with owned:
                self._preparing[answer] = owned
                yield
        except TimeoutError:
            if not owned.expired():
                raise
            raise Aborted("The answer is another process's by now.", reason="LEASE_LOST") from None
        finally:
            self._preparing.pop(answer, None)

    @property
    def prices(self) -> Mapping[str, Prices]:
        """What each model takes."""
        return self._speech.prices

    def log(self, answer: UUID) -> LiveLog | None:
        """The live log of an answer that is being made here."""
        generation = self._running.get(answer)
        return generation.log if generation is not None else None

    def start(
        self,
        answer: Message,
        draft: Draft,
        settled: Callable[[Message], Message],
        units_max: int | None = None,
        turns_held: int = 1,
        turns_max: int | None = None,
    ) -> asyncio.Task[None]:
        """Begins to make an answer that this process owns, or goes on with it; the job that does it.

        It may cost `units_max`, and costs `turns_max` turns at most: unless told as many as the longest answer of one
        model. `settled` has the last word on the answer as it ended, before that is kept.
        """
        longest = turns_of(self._speech.output_tokens_max(draft.wanted), draft.tokens_per_turn)
        paying = Paying(self._quota, answer, draft.tokens_per_turn, turns_max or longest, units_max, turns_held)

        def told(ended: Message) -> Message:
            return settled(explained(ended))

        generation = Generation(answer, draft, self._speech, self._journal, self._closing, paying, told)
        self._running[answer.id] = generation
        self._speech.crowd.answers = len(self._running)
        if self.drained:
            self._leave(generation)
        # A context of its own: the deadline of the call that began an answer is not the answer's.
        context = Context()
        context.run(REQUEST_ID.set, request_id())
        return self._job(self._run(generation), context)

    def stop(self, answer: UUID, where: tuple[str, UUID] | None = None) -> bool:
        """Ends an answer as its person wants; false when it is not made here, for that person and conversation."""
        generation = self._running.get(answer)
        if generation is None or where not in (None, (generation.answer.user, generation.answer.conversation)):
            return False
        generation.stop()
        return True

    async def carried(self, work: Coroutine[Any, Any, Value]) -> Value:
        """The result of work that is carried through even if the caller goes away, or has no time left."""
        result: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._job(_deliver(work, result), _without_deadline())
        return await result

    def carry(self, work: Coroutine[Any, Any, None]) -> None:
        """Carries work through for which nobody waits. It raises nothing."""
        self._job(work, _without_deadline())

    def _job(self, work: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None]:
        job = self._tasks.create_task(work, context=context)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    async def _run(self, generation: Generation) -> None:
        try:
            await generation.run()
        except Exception:
            log.exception("defect in keeping an answer", answer=str(generation.answer.id))
        finally:
            self._running.pop(generation.answer.id, None)
            self._speech.crowd.answers = len(self._running)

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time
        due, again_seconds = now(), RENEWAL_SECONDS
        while True:
            due = max(due + again_seconds, now())
            await asyncio.sleep(due - now())
            again_seconds = RENEWAL_SECONDS
            running = self.running
            if not running:
                continue
            try:
                behind = {answer for answer, generation in self._running.items() if generation.is_behind}
                renewed = await self._answers.renew(running, behind)
            except Unavailable:
                log.warning("leases not renewed", answers=len(running))
                again_seconds = AGAIN_SECONDS
                continue
            except Exception:
                # Whatever it is, the answers outlive it.
                log.exception("defect in renewing leases", answers=len(running))
                again_seconds = AGAIN_SECONDS
                continue
            for answer in (running - renewed.kept) & self.running:
                self._lost(answer)
            for answer in renewed.wished_stopped:
                self.stop(answer)

    def _lost(self, answer: UUID) -> None:
        """Its lease is another's."""
        if answer in self._running:
            self._running[answer].interrupt()
        elif not self._preparing[answer].expired():
            self._preparing[answer].reschedule(0)

    async def _drain(self) -> None:
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=self._finish_seconds)
        self.drained = True
        for generation in self._running.values():
            self._leave(generation)
        # What is carried through may begin one more, which is left at once.
        while self._jobs:
            await asyncio.wait(self._jobs)

    def _leave(self, generation: Generation) -> None:
        if self._offering is None:
            generation.interrupt()
        else:
            generation.hand_over(partial(self._offering.offer, generation.answer, generation.draft))


def _without_deadline() -> Context:
    """All that is known of the call that is being served, but how long it may take."""
    context = Context()
    for name, value in copy_context().items():
        if name is not DEADLINE:
            context.run(name.set, value)
    return context


async def _deliver(work: Awaitable[Value], result: asyncio.Future[Value]) -> None:
    try:
        value = await work
    except Exception as error:
        if result.done():
            log.warning("carried work failed", error=type(error).__name__)
        else:
            result.set_exception(error)
    else:
        if not result.done():
            result.set_result(value)
