"""One model that is listened to: what it says, within limits on its silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType

from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut, Stalled
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.routing import Decision
from services.chat_svc.models.router import Asked

Stream = AsyncGenerator[str | Completed, None]


@dataclass
class Voice:
    """A model that has said its `first` word, so long after it was asked; it goes on with the text that was `kept`.

    Its block closes its stream. A ModelFault that leaves the block is how it failed.
    """

    model: Model
    decision: Decision
    kept: str
    first: str
    began: float
    first_word_seconds: float
    asked: Asked
    stream: Stream = field(repr=False)
    closing: AsyncExitStack = field(repr=False)

    async def __aenter__(self) -> Voice:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.closing.__aexit__(kind, error, trace)

    async def close(self) -> None:
        """Nobody listens any more. Closing twice is closing once."""
        await self.closing.aclose()

    async def word(self) -> str | Completed:
        """What it says next."""
        return await next_word(self.stream, self.model.limits.idle_seconds)


async def next_word(stream: Stream, seconds: float) -> str | Completed:
    """What comes next, a piece that is not empty or the end; nothing for so many seconds is Stalled."""
    while True:
        word = await _word(stream, seconds)
        if isinstance(word, Completed):
            return word
        if text := spoken(word):
            return text


async def _word(stream: Stream, seconds: float) -> str | Completed:
    """What comes next within so many seconds. A stream that ends before its model said so was cut."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await anext(stream)
    except StopAsyncIteration:
        raise Cut("the stream ended early") from None
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Stalled(f"nothing came for {seconds:.0f} s") from error
