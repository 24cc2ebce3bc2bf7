"""The events of an answer from any number on, wherever the answer is being made and whether or not it has ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import structlog

from runtime.errors import NotFound, Unavailable
from services.chat_svc.answering.generations import Generations
from services.chat_svc.answering.journal import Journal, Lull, latest
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import Entry, model_of, text_of
from services.chat_svc.domain.log import Delayed, Ended, Event, live_event, rest_of_log
from services.chat_svc.store import Answers, Begun, Rounds

log = structlog.get_logger()

# How long one waits for an answer that is to follow on another, and how often it is looked for.
COMING_SECONDS_MAX = 15.0
LOOK_SECONDS = 0.02
LOOK_SECONDS_MAX = 0.25


class Watching:
    """A live log is read from memory here, from the journal elsewhere; its end always from the database."""

    def __init__(self, answers: Answers, rounds: Rounds, generations: Generations, journal: Journal) -> None:
        self._answers = answers
        self._rounds = rounds
        self._generations = generations
        self._journal = journal

    async def events(self, begun: Begun, after: int) -> AsyncGenerator[Event, None]:
        """The events behind number `after`, the last of them terminal; Delayed where the live log cannot be read.

        The end waits for the bill, unless that is long in coming.
        """
        answer, number, has_ended = begun.answer, after, False
        while answer.state is State.STREAMING or (answer.unpaid and not has_ended):
            has_ended = answer.state is not State.STREAMING
            async with aclosing(self._live(answer, number)) as entries:
                async for entry_number, entry in entries:
                    number = entry_number
                    yield live_event(begun.question, answer, number, entry)
            answer = await self._now(answer)
        for event in rest_of_log(begun.question, answer, number):
            yield event

    async def round(self, begun: Begun) -> AsyncGenerator[Event, None]:
        """All events of an answer, then those of each one that follows it in its round of a group."""
        following: Begun | None = begun
        while following is not None:
            answer = following.answer
            async with aclosing(self.events(following, 0)) as events:
                async for event in events:
                    answer = event.what.answer if isinstance(event.what, Ended) else answer
                    yield event
            following = await self._following(answer)

    async def begun(self, user: str, conversation: UUID, answer: UUID) -> Begun:
        """An answer and what it answers; one that is to follow in a round is waited for. NOT_FOUND for no such."""
        if (found := await self._answers.find(user, conversation, answer)) is not None:
            return found
        pause_seconds = LOOK_SECONDS
        try:
            async with asyncio.timeout(COMING_SECONDS_MAX):
                while await self._rounds.is_coming(user, conversation, answer):
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(2 * pause_seconds, LOOK_SECONDS_MAX)
        except TimeoutError:
            log.warning("answer did not come", answer=str(answer))
        return await self._answers.get(user, conversation, answer)

    async def _following(self, answer: Message) -> Begun | None:
        """The answer that follows in the same round; None where that ended."""
        if answer.next is None:
            return None
        try:
            return await self.begun(answer.user, answer.conversation, answer.next)
        except NotFound:
            return None

    async def so_far(self, message: Message) -> Message:
        """A message with its text as far as it got."""
        if message.state is not State.STREAMING:
            return message
        here = self._generations.log(message.id)
        entries = here.entries[: here.shown] if here is not None else latest(message, await self._journaled(message))
        if not entries:
            return message
        return replace(message, model=model_of(entries), text=text_of(entries), log=tuple(entries))

    async def _journaled(self, message: Message) -> list[Entry]:
        try:
            return await self._journal.entries(message.id)
        except Unavailable:
            log.warning("answer shown without its text", answer=str(message.id))
            return []

    async def _live(self, answer: Message, after: int) -> AsyncGenerator[tuple[int, Entry | Delayed], None]:
        here = self._generations.log(answer.id)
        if here is not None:
            async with aclosing(here.follow(after)) as entries:
                async for numbered in entries:
                    yield numbered
            return
        number, is_told = after, False
        async with aclosing(self._journal.follow(answer.id)) as batches:
            async for batch in batches:
                if isinstance(batch, Lull):
                    now = await self._now(answer)
                    # It has ended, or goes on in this process, whose memory needs no journal.
                    if now.state is not State.STREAMING or self._generations.log(answer.id) is not None:
                        return
                    is_delayed = now.unmirrored or batch is Lull.AWAY
                else:
                    first, entries_of_batch = batch
                    # What follows a gap waits for the database: only the next number may come next.
                    is_delayed = first > number + 1
                    for entry_number, entry in enumerate(entries_of_batch, first):
                        if entry_number == number + 1:
                            number, is_told = entry_number, False
                            yield number, entry
                if is_delayed and not is_told:
                    is_told = True
                    yield number, Delayed()

    async def _now(self, answer: Message) -> Message:
        return (await self._answers.get(answer.user, answer.conversation, answer.id)).answer
