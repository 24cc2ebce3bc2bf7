"""Several who ask for the follow-ups of one message, each at another moment: the model is asked once."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from services.chat_svc.scenes.asides import Asides
from services.chat_svc.scenes.suggesting import Suggesting
from tests.unit.chat_svc.scenes import HOLMES, answered

MESSAGE = answered("Elementary.")


class Kept:
    """What the database has; the second answer that it gives takes its time on the way."""

    def __init__(self) -> None:
        self.kept: tuple[str, ...] | None = None
        self.looks = 0
        self.late = asyncio.Event()

    async def follow_ups(self, _: object) -> tuple[str, ...] | None:
        found = self.kept
        self.looks += 1
        if self.looks == 2:
            await self.late.wait()
        return found

    async def suggest(self, _: object, __: object, made: Sequence[str]) -> tuple[str, ...]:
        self.kept = self.kept or tuple(made)
        return self.kept


class Model:
    """Says something else each time, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.free = asyncio.Event()

    async def ask(self, _: object) -> str:
        self.asked += 1
        said = f"Who is number {self.asked}?"
        await self.free.wait()
        return said


def _suggesting(asides: Asides, kept: Kept, model: Model) -> Suggesting:
    async def message(*_: object) -> Any:
        return MESSAGE

    async def told(*_: object, **__: object) -> Any:
        return SimpleNamespace(messages=(MESSAGE,))

    async def cast_of(_: object) -> Any:
        return (HOLMES,)

    parts = (
        model,
        SimpleNamespace(conversation=message),
        SimpleNamespace(get=message),
        SimpleNamespace(branch=told),
        kept,
        SimpleNamespace(cast=cast_of),
    )
    return Suggesting(asides, *(cast("Any", part) for part in parts))


async def _asking(suggesting: Suggesting) -> tuple[str, ...]:
    return await suggesting.follow_ups(MESSAGE.user, MESSAGE.conversation, MESSAGE.id)


async def test_whoever_looked_before_they_were_kept_and_comes_when_they_are_made_gets_the_same() -> None:
    kept, model = Kept(), Model()
    async with asyncio.timeout(60), Asides([]) as asides:
        suggesting = _suggesting(asides, kept, model)
        first, late = (asyncio.create_task(_asking(suggesting)) for _ in range(2))
        while kept.looks < 2:
            await asyncio.sleep(0)
        model.free.set()
        made = await first
        kept.late.set()
        assert (made, await late, model.asked) == (("Who is number 1?",), ("Who is number 1?",), 1)


async def test_those_who_ask_at_once_wait_for_the_same_ones() -> None:
    kept, model = Kept(), Model()
    kept.late.set()
    async with asyncio.timeout(60), Asides([]) as asides:
        suggesting = _suggesting(asides, kept, model)
        asking = [asyncio.create_task(_asking(suggesting)) for _ in range(5)]
        while not model.asked:
            await asyncio.sleep(0)
        model.free.set()
        assert await asyncio.gather(*asking) == [("Who is number 1?",)] * 5
    assert model.asked == 1
