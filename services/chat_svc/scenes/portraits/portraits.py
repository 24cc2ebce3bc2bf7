"""Portraits: kept for a day, fetched beside the turn that needs them first, and done without where that fails."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from runtime.errors import Unavailable
from services.chat_svc.domain.portrait import portrait
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.web import Unanswered
from services.chat_svc.store.characters import Kept

log = structlog.get_logger()

FRESH = timedelta(hours=24)
# What failed is not tried again for so long.
REST = timedelta(minutes=5)
PORTRAITS_MAX = 2_000
# Fetches at once, and those that wait for their place; more are done without.
FETCHES_MAX = 32


class Source(Protocol):
    """Somebody on the web who knows characters."""

    async def text(self, persona: Persona) -> str:
        """What they say of one; empty for nothing. Raises Unanswered."""
        ...


class Portraits:
    """`clock` gives the present in UTC. Without sources, nobody has a portrait. See `portraits`, which opens them."""

    def __init__(
        self, sources: Sequence[Source], kept: Kept, clock: Callable[[], datetime], tasks: asyncio.TaskGroup
    ) -> None:
        self._sources = sources
        self._kept = kept
        self._clock = clock
        self._tasks = tasks
        self._known: OrderedDict[str, tuple[datetime, str]] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[None]] = {}

    async def portraits(self, personas: Sequence[Persona], wait_seconds: float) -> list[str]:
        """What the web says of each of some characters of the catalogue, as one line each; empty where it is not known.

        What is not known is fetched, all of it side by side, and waited for once, at most `wait_seconds`.
        """
        fetches = [fetch for one in personas if (fetch := self._fetching(one)) is not None]
        if fetches:
            await asyncio.wait(fetches, timeout=wait_seconds)
        return [self._known.get(one.character, (None, ""))[1] for one in personas]

    def drop(self) -> None:
        """Ends the fetches that are under way."""
        for fetch in list(self._fetches.values()):
            fetch.cancel()

    def _fetching(self, persona: Persona) -> asyncio.Task[None] | None:
        """The fetch of what is not known or no more fresh; None where there is nothing to wait for."""
        until, text = self._known.get(persona.character, (None, ""))
        if not self._sources or (until is not None and self._clock() < until):
            return None
        fetch = self._fetches.get(persona.character)
        if fetch is None and len(self._fetches) < FETCHES_MAX:
            fetch = self._tasks.create_task(self._fetch(persona, text))
            self._fetches[persona.character] = fetch
            fetch.add_done_callback(lambda _: self._fetches.pop(persona.character, None))
        return fetch

    async def _fetch(self, persona: Persona, stale: str) -> None:
        try:
            self._know(persona.character, *await self._found(persona))
        except (Unanswered, Unavailable) as error:
            log.info("no portrait", character=persona.character, why=str(error))
        except Exception:
            # Out of here it would end the process, for the sake of a portrait.
            log.exception("no portrait", character=persona.character)
        else:
            return
        self._know(persona.character, self._clock() + REST, stale)

    async def _found(self, persona: Persona) -> tuple[datetime, str]:
        """A portrait, and until when it is fresh."""
        earlier = await self._kept.get(persona.character)
        if earlier is not None and self._clock() < earlier[1] + FRESH:
            return earlier[1] + FRESH, earlier[0]
        text = portrait([await source.text(persona) for source in self._sources])
        now = self._clock()
        await self._kept.keep(persona.character, text, now)
        return now + FRESH, text

    def _know(self, character: str, until: datetime, text: str) -> None:
        self._known[character] = (until, text)
        self._known.move_to_end(character)
        if len(self._known) > PORTRAITS_MAX:
            self._known.popitem(last=False)


@asynccontextmanager
async def portraits(sources: Sequence[Source], kept: Kept, clock: Callable[[], datetime]) -> AsyncIterator[Portraits]:
    """Portraits while the block runs; fetches that are under way then are dropped."""
    async with asyncio.TaskGroup() as tasks:
        opened = Portraits(sources, kept, clock, tasks)
        yield opened
        opened.drop()
