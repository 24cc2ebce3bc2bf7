"""Answers that outlive their process: it leaves them to the others, and one of those goes on.

The row decides who owns an answer: it is left to nobody for a few seconds, and of several that look at once each takes
what the others do not. A word over Redis lets them look at once. Where nobody does, the process that left the answer
takes it back and ends it; if that is gone too, recovery ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.errors import Unavailable
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.paying import Paying
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import Entry, model_of
from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.outcome import Spent
from services.chat_svc.domain.routing import Choice
from services.chat_svc.store import Answers

log = structlog.get_logger()

CHANNEL = "chat:left"

# How long a process that ends waits for another one to take an answer: where somebody has heard of it, who may be slow,
# and where nobody has, as far as it knows. How often it looks.
TAKEN_SECONDS_MAX = 6.0
UNHEARD_SECONDS_MAX = 2.0
LOOK_SECONDS = 0.1

FAULTS = (RedisError, OSError, TimeoutError)


class Offering:
    """Leaves answers to other processes."""

    def __init__(self, answers: Answers, redis: Redis) -> None:
        self._answers = answers
        self._redis = redis

    async def offer(
        self, answer: Message, draft: Draft, said: Sequence[Entry], spent: Spent, seconds: float, paying: Paying
    ) -> bool:
        """Whether somebody took what was begun here, and may take so many seconds more; as `leave`."""
        return await self.leave(replace(answer, log=tuple(said)), _handover(draft, said, spent, seconds, paying))

    async def leave(self, answer: Message, handover: Handover) -> bool:
        """Whether somebody took the answer. If not, it is this process's to end, as far as anybody knows."""
        offered = heard = False
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - began < (TAKEN_SECONDS_MAX if heard else UNHEARD_SECONDS_MAX):
            try:
                if not offered:
                    # Where it is not this process's to leave, it is somebody's: an offer whose reply was lost, too.
                    await self._answers.offer(answer, handover)
                    offered, heard = True, await self._tell()
                elif not await self._answers.is_offered(answer):
                    log.info("answer handed over", answer=str(answer.id))
                    return True
            except Unavailable as error:
                log.warning("answer not handed over yet", answer=str(answer.id), reason=error.reason)
            await asyncio.sleep(LOOK_SECONDS)
        return offered and not await self._taken_back(answer)

    async def _taken_back(self, answer: Message) -> bool:
        """Whether the answer is this process's again; as good as true where that cannot be known."""
        try:
            return await self._answers.take_back(answer)
        except Unavailable:
            return True

    async def _tell(self) -> bool:
        """Whether anybody has heard of it; this process listens no more."""
        try:
            return bool(await self._redis.publish(CHANNEL, ""))
        except FAULTS as error:
            log.warning("what is left is told by the database alone", error=type(error).__name__)
            return False


def _handover(draft: Draft, said: Sequence[Entry], spent: Spent, seconds: float, paying: Paying) -> Handover:
    last = model_of(said)
    # Whoever took an answer and said nothing counts as no attempt.
    left = spent.attempted(last, Fault.HANDED_OVER) if len(said) > len(draft.said) else spent
    return Handover(
        turns=paying.held,
        tokens_per_turn=draft.tokens_per_turn,
        context_tokens=draft.entitled_tokens,
        classes=draft.wanted.classes,
        choice=Choice(draft.wanted.asked, draft.wanted.preference, draft.explain),
        seconds=seconds,
        attempts=left.attempts,
        units_max=paying.units_max,
        turns_max=paying.turns_max,
    )
