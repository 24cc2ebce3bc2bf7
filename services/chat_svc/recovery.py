"""What dead processes left: answers that nobody makes any more, and holds that were never resolved."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from runtime.errors import MeshError, Unavailable
from services.chat_svc.closing import Closing
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.ending import Broken, ended
from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.generation import ANSWER_SECONDS_MAX
from services.chat_svc.generations import Generations
from services.chat_svc.journal import Journal
from services.chat_svc.store import Answers

log = structlog.get_logger()

SWEEP_SECONDS = 1.0

# Past this age no answer can still be going on, and one whose journal cannot be read ends without its text.
AGE_MAX = timedelta(seconds=ANSWER_SECONDS_MAX + 10)


class Recovery:
    """Runs in every process; of several that look at once, each takes what the others do not."""

    def __init__(
        self,
        answers: Answers,
        generations: Generations,
        journal: Journal,
        closing: Closing,
        clock: Callable[[], datetime],
    ) -> None:
        self._answers = answers
        self._generations = generations
        self._journal = journal
        self._closing = closing
        self._clock = clock

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except MeshError as error:
                log.warning("sweep failed", reason=error.reason)
            except Exception:
                log.exception("defect in a sweep")

    async def sweep(self) -> None:
        """Ends what was left streaming and resolves what was left held."""
        for message in await self._answers.take_lapsed(self._generations.running):
            if message.state is State.STREAMING:
                await self._end(message)
            else:
                await self._closing.resolve(message)

    async def _end(self, message: Message) -> None:
        entries = await self._entries(message)
        if entries is None:
            return
        log.warning("answer interrupted", answer=str(message.id), entries=len(entries))
        await self._closing.close(ended(message, entries, Broken(FailureReason.INTERRUPTED)))

    async def _entries(self, message: Message) -> list[Entry] | None:
        """What the dead process said; None when that cannot be known yet, and the lease decides who asks again."""
        try:
            return await self._journal.entries(message.id)
        except Unavailable:
            if self._clock() - message.created_at < AGE_MAX:
                log.warning("answer waits for its journal", answer=str(message.id))
                return None
            return []
