"""The end of an answer: first the row, then the hold, then the word to those who watch.

The row comes first because it decides everything: it changes only for the owner, and what the hold must become and what
the last event says are functions of it. A crash before it leaves a lapsed lease, which recovery ends as interrupted; a
crash after it leaves a hold marked unresolved, which recovery resolves (settling twice with the same amount is settling
once), and watchers who hear nothing look at the row. The hold comes before the last event so that a person who has seen
the end also sees what it cost.
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from runtime.errors import FailedPrecondition, MeshError, NotFound, OutOfRange
from services.chat_svc.domain.conversation import Message
from services.chat_svc.journal import Journal
from services.chat_svc.siblings import Quota
from services.chat_svc.store import Answers

log = structlog.get_logger()


class Closing:
    """Used by whoever owns an answer: the process that ran it, or the one that took it over."""

    def __init__(self, answers: Answers, quota: Quota, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._answers = answers
        self._quota = quota
        self._journal = journal
        self._clock = clock

    async def close(self, answer: Message) -> None:
        """Keeps the answer as it ended; UNAVAILABLE when the database is away. Nothing happens if another owns it."""
        if not await self._answers.end(answer, self._clock()):
            log.warning("answer was taken over", answer=str(answer.id))
            return
        await self.resolve(answer)
        await self._journal.end(answer.id)

    async def resolve(self, answer: Message) -> None:
        """Charges or gives back the hold of an answer that has ended; recovery tries again where that fails."""
        try:
            await self._settle_or_release(answer)
            await self._answers.hold_resolved(answer)
        except MeshError as error:
            log.warning("hold not resolved yet", answer=str(answer.id), reason=error.reason)

    async def _settle_or_release(self, answer: Message) -> None:
        try:
            if answer.charged:
                await self._quota.settle(answer)
            else:
                await self._quota.release(answer.hold)
        except (FailedPrecondition, NotFound, OutOfRange) as error:
            # It expired, or never was: no later try can end otherwise.
            log.error("hold can never be resolved", answer=str(answer.id), reason=error.reason)
