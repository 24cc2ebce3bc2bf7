"""The events of an answer from any number on, wherever the answer is being made and whether or not it has ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import structlog

from runtime.errors import Unavailable
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import Entry, model_of, text_of
from services.chat_svc.domain.log import Event, live_event, rest_of_log
from services.chat_svc.generations import Generations
from services.chat_svc.journal import Journal
from services.chat_svc.store import Answers, Begun

log = structlog.get_logger()


class Watching:
    """A live log is read from memory here, from the journal elsewhere; its end always from the database."""

    def __init__(self, answers: Answers, generations: Generations, journal: Journal) -> None:
        self._answers = answers
        self._generations = generations
        self._journal = journal

    async def events(self, begun: Begun, after: int) -> AsyncGenerator[Event, None]:
        """The events behind number `after`, the last of them terminal."""
        answer, number = begun.answer, after
        while answer.state is State.STREAMING:
            async with aclosing(self._live(answer, number)) as entries:
                async for entry_number, entry in entries:
                    number = entry_number
                    yield live_event(begun.question, answer, number, entry)
            answer = await self._now(answer)
        for event in rest_of_log(begun.question, answer, number):
            yield event

    async def so_far(self, message: Message) -> Message:
        """A message with its text as far as it got."""
        if message.state is not State.STREAMING:
            return message
        here = self._generations.log(message.id)
        entries = here.entries[: here.shown] if here is not None else await self._journaled(message)
        return replace(message, model=model_of(entries), text=text_of(entries)) if entries else message

    async def _journaled(self, message: Message) -> list[Entry]:
        try:
            return await self._journal.entries(message.id)
        except Unavailable:
            log.warning("answer shown without its text", answer=str(message.id))
            return []

    async def _live(self, answer: Message, after: int) -> AsyncGenerator[tuple[int, Entry], None]:
        here = self._generations.log(answer.id)
        if here is not None:
            async with aclosing(here.follow(after)) as entries:
                async for numbered in entries:
                    yield numbered
            return
        number = after
        async with aclosing(self._journal.follow(answer.id)) as batches:
            async for batch in batches:
                if batch is None:
                    if (await self._now(answer)).state is not State.STREAMING:
                        return
                    continue
                first, entries_of_batch = batch
                # What follows a gap waits for the database: only the next number may come next.
                for entry_number, entry in enumerate(entries_of_batch, first):
                    if entry_number == number + 1:
                        number = entry_number
                        yield number, entry

    async def _now(self, answer: Message) -> Message:
        return (await self._answers.get(answer.user, answer.conversation, answer.id)).answer
