"""What dead processes left: answers that nobody makes any more, and holds that were never resolved."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from runtime.errors import MeshError, Unavailable
from services.chat_svc.answering.closing import Closing
from services.chat_svc.answering.draft import ANSWER_SECONDS_MAX
from services.chat_svc.answering.generations import RENEWAL_SECONDS, Generations
from services.chat_svc.answering.journal import Journal, latest
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.ending import Broken, ended
from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.store import Answers
from services.chat_svc.store import Rounds as KeptRounds
from services.chat_svc.store.answers import LATE_SECONDS
from services.chat_svc.turning.rounds import Rounds

log = structlog.get_logger()

SWEEP_SECONDS = 1.0

# While the database is away no owner can renew a lease: before anything is taken, they have the time for two renewals.
CALM_SECONDS = 2 * RENEWAL_SECONDS

# Past this age no answer can still be going on, and one whose journal cannot be read ends without its text.
AGE_MAX = timedelta(seconds=ANSWER_SECONDS_MAX + 10)


class Recovery:
    """Runs in every process; of several that look at once, each takes what the others do not."""

    def __init__(
        self,
        answers: Answers,
        kept_rounds: KeptRounds,
        rounds: Rounds,
        generations: Generations,
        journal: Journal,
        closing: Closing,
        clock: Callable[[], datetime],
    ) -> None:
        self._answers = answers
        self._kept_rounds = kept_rounds
        self._rounds = rounds
        self._generations = generations
        self._journal = journal
        self._closing = closing
        self._clock = clock
        self._was_away = False
        self._waits_until = 0.0

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            late = now() + SWEEP_SECONDS + LATE_SECONDS
            await asyncio.sleep(SWEEP_SECONDS)
            # Where this process stood still, so may have those that are to renew their leases.
            self._was_away |= now() > late
            try:
                await self.sweep()
            except MeshError as error:
                log.warning("sweep failed", reason=error.reason)
            except Exception:
                log.exception("defect in a sweep")

    async def sweep(self) -> None:
        """Ends what was left streaming, resolves what was left held, and goes on with the rounds that were left.

        For a while after the database was away, takes nothing. UNAVAILABLE while it is.
        """
        try:
            if not await self._is_calm():
                return
            # Side by side: where one waits for something that hangs, the others do not wait for that.
            taken = await self._answers.take_lapsed(self._generations.running)
            faults = await asyncio.gather(*(self._taken(message) for message in taken))
            for fault in faults:
                if fault is not None:
                    raise fault
            await self._rounds.take_late()
        except Unavailable:
            self._was_away = True
            raise

    async def _taken(self, message: Message) -> MeshError | None:
        """Ends one that was left; what stood in the way, which the next sweep may find gone."""
        try:
            await self._take(message)
        except MeshError as error:
            return error
        except Exception:
            # One that cannot be ended holds up nobody else's.
            log.exception("defect in ending what was left", answer=str(message.id))
        return None

    async def _is_calm(self) -> bool:
        """Whether owners that live have had the time to say so."""
        now = asyncio.get_running_loop().time()
        if self._was_away:
            await self._answers.reach()
            self._was_away, self._waits_until = False, asyncio.get_running_loop().time() + CALM_SECONDS
        return now >= self._waits_until

    async def _take(self, message: Message) -> None:
        if message.state is State.STREAMING:
            await self._end(message)
            return
        if message.next is not None:
            # Nobody has gone on with the round in time: nobody is to wait for the next answer any more.
            message = await self._kept_rounds.end(message)
        await self._closing.resolve(message)

    async def _end(self, message: Message) -> None:
        entries = await self._entries(message)
        if entries is None:
            return
        log.warning("answer interrupted", answer=str(message.id), entries=len(entries))
        broken, prices = Broken(FailureReason.INTERRUPTED), self._generations.prices
        answer, left = ended(message, entries, broken, prices=prices), await self._rounds.under_way(message)
        if left is not None:
            answer = left.outlives(answer)
        await self._closing.close(answer)
        if left is not None and answer.next is not None:
            self._rounds.follow(left, answer)

    async def _entries(self, message: Message) -> list[Entry] | None:
        """What the dead process said; None when that cannot be known yet, and the lease decides who asks again."""
        try:
            return latest(message, await self._journal.entries(message.id))
        except Unavailable:
            if self._clock() - message.created_at < AGE_MAX:
                log.warning("answer waits for its journal", answer=str(message.id))
                return None
            return [*message.log]
