"""An answer whose making breaks in a way that nobody foresaw, or ends twice at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.chat_svc.answering.generation import Generation
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.crowd import Crowd
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.outcome import FinishReason, Spent
from tests.unit.chat_svc.messages import ANSWER


class Speaking:
    """Says one word."""

    spent = Spent()

    async def entries(self) -> AsyncGenerator[Entry | Completed, None]:
        yield Began("one")
        yield Said("Elementary.")
        yield Completed(FinishReason.STOP)


class Leaving(Speaking):
    """Says one word, and takes its time to leave its model."""

    def __init__(self) -> None:
        self.leaves, self.may_leave = asyncio.Event(), asyncio.Event()

    async def entries(self) -> AsyncGenerator[Entry | Completed, None]:
        yield Began("one")
        yield Said("Elementary.")
        try:
            await asyncio.Event().wait()
        finally:
            self.leaves.set()
            await self.may_leave.wait()


class Journal:
    async def add(self, *_: object) -> int:
        raise ValueError("nobody foresaw this")


class Mirror:
    async def add(self, _: object, entries: list[Entry], kept: int) -> int:
        return len(entries)


class Closing:
    def __init__(self) -> None:
        self.closed: list[Message] = []

    async def close(self, answer: Message) -> None:
        self.closed.append(answer)


class Paying:
    async def cost(self, _: int) -> int:
        return 1

    async def covers(self, _: int) -> bool:
        return True

    async def close(self) -> None:
        """Nothing is held."""


async def test_whoever_watches_an_answer_that_breaks_is_let_go() -> None:
    draft, speech = SimpleNamespace(said=(), seconds=60.0), SimpleNamespace(answer=lambda _: Speaking(), crowd=Crowd())
    parts = [cast("Any", one) for one in (draft, speech, Journal(), None, Paying(), None)]
    generation = Generation(ANSWER, *parts)
    async with asyncio.timeout(60):
        watching = asyncio.create_task(_followed(generation))
        with pytest.raises(ExceptionGroup):
            await generation.run()
        assert await watching == []


async def test_an_answer_that_is_stopped_is_not_ended_again_while_it_leaves_its_model() -> None:
    speaking, closing = Leaving(), Closing()
    draft = SimpleNamespace(said=(), seconds=60.0)
    speech = SimpleNamespace(answer=lambda _: speaking, crowd=Crowd(), prices={})
    parts = [cast("Any", one) for one in (draft, speech, Mirror(), closing, Paying(), lambda answer: answer)]
    generation = Generation(ANSWER, *parts)
    async with asyncio.timeout(60):
        running = asyncio.create_task(generation.run())
        async with aclosing(generation.log.follow(0)) as entries:
            assert [await anext(entries) for _ in range(2)] == [(1, Began("one")), (2, Said("Elementary."))]
        generation.stop()
        await speaking.leaves.wait()
        generation.stop()
        generation.interrupt()
        speaking.may_leave.set()
        await running
    (answer,) = closing.closed
    assert (answer.text, answer.state, answer.finish) == ("Elementary.", State.COMPLETE, FinishReason.STOPPED)


async def _followed(generation: Generation) -> list[Entry]:
    return [entry async for _, entry in generation.log.follow(0)]


class Endless(Speaking):
    """Says one word, and never that it was the last."""

    async def entries(self) -> AsyncGenerator[Entry | Completed, None]:
        yield Began("one")
        yield Said("Elementary.")


async def test_what_ends_without_saying_so_is_never_taken_for_the_whole() -> None:
    closing, draft = Closing(), SimpleNamespace(said=(), seconds=60.0)
    speech = SimpleNamespace(answer=lambda _: Endless(), crowd=Crowd(), prices={})
    parts = [cast("Any", one) for one in (draft, speech, Mirror(), closing, Paying(), lambda answer: answer)]
    await Generation(ANSWER, *parts).run()
    (answer,) = closing.closed
    assert (answer.text, answer.state, answer.finish) == ("Elementary.", State.FAILED, None)
