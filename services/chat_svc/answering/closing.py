"""The end of an answer: first the row, then the hold, then the word to those who watch.

The row comes first because it decides everything: it changes only for the owner, and what the hold must become and what
the last event says are functions of it. A crash before it leaves a lapsed lease, which recovery ends as interrupted; a
crash after it leaves a hold marked unresolved, which recovery resolves (settling twice with the same amount is settling
once), and watchers who hear nothing look at the row. The hold comes before the last event, and before the word to the
other services, so that whoever has seen the end also sees what it cost.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from runtime.errors import FailedPrecondition, MeshError, NotFound, OutOfRange
from services.chat_svc.announcing import Announcing
from services.chat_svc.answering.journal import Journal
from services.chat_svc.domain.conversation import Message
from services.chat_svc.siblings import Quota
from services.chat_svc.store import Answers

log = structlog.get_logger()


class Closing:
    """Used by whoever owns an answer: the process that ran it, or the one that took it over.

    `closed` is called with every answer that has ended, once that is kept and told.
    """

    def __init__(
        self,
        answers: Answers,
        quota: Quota,
        journal: Journal,
        announcing: Announcing,
        clock: Callable[[], datetime],
        closed: Callable[[Message], None],
    ) -> None:
        self._answers = answers
        self._quota = quota
        self._journal = journal
        self._announcing = announcing
        self._clock = clock
        self._closed = closed

    async def close(self, answer: Message) -> None:
        """Keeps the answer as it ended; UNAVAILABLE when the database is away. Nothing happens if another owns it."""
        if not await self._answers.end(answer, self._clock()):
            log.warning("answer was taken over", answer=str(answer.id))
            return
        await self.resolve(answer)
        await self._journal.end(answer.id)
        self._closed(answer)

    async def resolve(self, answer: Message) -> None:
        """Charges or gives back the hold of an answer that has ended, and tells its end to the other services.

        Recovery tries again where that fails.
        """
        try:
            resolved = await self._settled_or_released(answer)
            await self._answers.hold_resolved(resolved, self._announcing.ended(resolved, self._clock()))
        except MeshError as error:
            log.warning("hold not resolved yet", answer=str(answer.id), reason=error.reason)

    async def _settled_or_released(self, answer: Message) -> Message:
        """The answer with what the person has paid for it, and has left."""
        try:
            if answer.charged:
                return replace(answer, remaining=await self._quota.settle(answer))
            await self._quota.release(answer.hold)
        except (FailedPrecondition, NotFound, OutOfRange) as error:
            # It expired, was given back or never was: no later try can end otherwise, and nothing was charged.
            log.error("hold can never be resolved", answer=str(answer.id), reason=error.reason)
            return replace(answer, charged=0)
        return answer
