"""One answer being made: a job of this process, whoever watches it or does not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import structlog

from runtime.errors import Unavailable
from services.chat_svc.answering.closing import Closing
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.journal import Journal
from services.chat_svc.answering.live import LiveLog
from services.chat_svc.answering.paying import Paying
from services.chat_svc.answering.speech import Speaking, Speech
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.ending import Broken, Completed, Ending, charged_tokens, ended, paid, tokens_of
from services.chat_svc.domain.entry import Entry, Said, text_of
from services.chat_svc.domain.fault import Cut, FailureReason, ModelFault, Stalled, failure
from services.chat_svc.domain.outcome import FinishReason, Spent

log = structlog.get_logger()

# How long the owner tries to keep an ended answer while the database is away, and how often.
KEEP_SECONDS_MAX = 60.0
KEEP_PAUSE_SECONDS = 0.5

INTERRUPTED = Broken(FailureReason.INTERRUPTED)

# Offers an answer to other processes: what was said, what it took, how many seconds more it may take, and what pays for
# it. False when none took it.
Offer = Callable[[Sequence[Entry], Spent, float, Paying], Awaitable[bool]]


class Generation:
    """The model speaks into the live log, the journal mirrors it, and the end is kept."""

    def __init__(
        self,
        answer: Message,
        draft: Draft,
        speech: Speech,
        journal: Journal,
        closing: Closing,
        paying: Paying,
        settled: Callable[[Message], Message],
    ) -> None:
        self.answer = answer
        self.log = LiveLog(speech.crowd, draft.said)
        # Whether other processes cannot read what it says: the last write of it failed.
        self.is_behind = False
        self.draft = draft
        self._speech = speech
        self._journal = journal
        self._closing = closing
        self._paying = paying
        self._settled = settled
        self._until = asyncio.get_running_loop().time() + draft.seconds
        self._limit = asyncio.timeout_at(self._until)
        self._early: Ending | None = None
        self._offer: Offer | None = None
        self._speaking = False

    def interrupt(self) -> None:
        """Ends the answer, which is our fault, with what has been said so far."""
        self._end(INTERRUPTED)

    def hand_over(self, offer: Offer) -> None:
        """Leaves the answer to whoever takes it; it ends as interrupted where nobody does."""
        self._offer = offer
        self.interrupt()

    def stop(self) -> None:
        """Ends the answer, as the person wants, with what has been said so far."""
        self._end(Completed(FinishReason.STOPPED))

    def _end(self, ending: Ending) -> None:
        self._early = self._early or ending
        # One that has passed is not set anew: the model is being left already.
        if self._speaking and not self._limit.expired():
            self._limit.reschedule(0)

    async def run(self) -> None:
        """Makes the answer and keeps it, unless another process goes on with it. Raises nothing of its own."""
        try:
            await self._run(self._speech.answer(self.draft))
        finally:
            # However it went, nobody watches what does not go on.
            self.log.close()

    async def _run(self, speaking: Speaking) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._mirror())
            ending = await self._spoken(speaking)
            self.log.complete()
            await self._paying.close()
        if ending == INTERRUPTED and self._offer is not None:
            left_seconds = max(0.0, self._until - asyncio.get_running_loop().time())
            if await self._offer(self.log.entries, speaking.spent, left_seconds, self._paying):
                return
        answer = ended(self.answer, self.log.entries, ending, speaking.spent, self._speech.prices)
        turns = await self._paying.cost(charged_tokens(answer))
        await self._keep(self._settled(paid(answer, turns)))

    async def _spoken(self, speaking: Speaking) -> Ending:
        try:
            async with self._limit:
                self._speaking = True
                return self._early or await self._speak(speaking)
        except TimeoutError:
            fault: ModelFault = Stalled("the answer took too long")
        except ModelFault as error:
            fault = error
        except Exception:
            log.exception("defect in an answer", answer=str(self.answer.id))
            fault = Cut("defect")
        finally:
            self._speaking = False
        return self._early or Broken(failure(fault, spoke=bool(self.log.entries)))

    async def _speak(self, speaking: Speaking) -> Ending:
        # What is shown pays, not what was said: a seam may have taken some of it back.
        size_bytes = self._size_bytes()
        async with aclosing(speaking.entries()) as words:
            async for word in words:
                if isinstance(word, Completed):
                    return word
                self.log.append(word)
                size_bytes = size_bytes + len(word.text.encode()) if isinstance(word, Said) else self._size_bytes()
                if not await self._paying.covers(tokens_of(size_bytes)):
                    return Completed(FinishReason.QUOTA)
        raise Cut("the speech ended without an end")

    def _size_bytes(self) -> int:
        """Of the text so far."""
        return len(text_of(self.log.entries).encode())

    async def _mirror(self) -> None:
        """Shows what is said as soon as the journal has it, so that nobody has seen what a dead process takes along.

        What comes while a write is under way shares the next one.
        """
        kept = 0
        while count := await self.log.unshown():
            kept = await self._journal.add(self.answer.id, self.log.entries[:count], kept)
            self.is_behind = kept == 0
            self.log.show(count)

    async def _keep(self, answer: Message) -> None:
        limit = asyncio.get_running_loop().time() + KEEP_SECONDS_MAX
        while True:
            try:
                return await self._closing.close(answer)
            except Unavailable:
                if asyncio.get_running_loop().time() > limit:
                    log.error("answer not kept", answer=str(answer.id))
                    return None
                await asyncio.sleep(KEEP_PAUSE_SECONDS)
