"""Server-sent events as models send them, a read at a time.

The SDKs' readers give one event after the other. Here what came together can be taken together, which costs a busy
process little more than one event does. Of what https://html.spec.whatwg.org/multipage/server-sent-events.html calls an
event stream, this reads names and data. A byte order mark is not taken away, and what no empty line ends is no event.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import httpx2

from services.chat_svc.domain.crowd import Pause
from services.chat_svc.domain.fault import Refused

LINE_END = re.compile(rb"\r\n|\r|\n")
EVENT_BYTES_MAX = 1_048_576

# How long the end of a response is awaited where the model has said all: then its connection can be used again.
DRAIN_SECONDS_MAX = 0.1


@dataclass(frozen=True, slots=True)
class Event:
    """What a model tells at once; `name` is empty for most."""

    name: str
    data: str


class Events:
    """The events of one stream, which may be cut into reads anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_after_cr = False
        self._name = ""
        self._data: list[bytes] = []

    def completed(self, read: bytes) -> Iterator[Event]:
        """The events that a read brings to their ends. ValueError for one that is too large, or no UTF-8."""
        if self._is_after_cr and read:
            read = read.removeprefix(b"\n")
        self._is_after_cr = read.endswith(b"\r") or (self._is_after_cr and not read)
        *lines, self._rest = LINE_END.split(self._rest + read)
        # Empty lines of data take room as well.
        if len(self._rest) + sum(len(line) + 1 for line in self._data) > EVENT_BYTES_MAX:
            raise ValueError("an event is too large")
        for line in lines:
            if line:
                self._take(line)
                continue
            name, data, self._name, self._data = self._name, b"\n".join(self._data), "", []
            if data:
                yield Event(name, data.decode())

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.removeprefix(b" ").decode()


class Told(Protocol):
    """What one stream of a model tells so far, in the events of its protocol."""

    @property
    def is_over(self) -> bool:
        """Whether the model has said all, and that it did."""

    @property
    def is_whole(self) -> bool:
        """Whether what was said is an answer, whatever goes wrong from now on; a refusal takes it back all the same."""

    @property
    def patience_seconds(self) -> float | None:
        """How long after its last words more is awaited, before that counts as all there will be; None for ever."""

    def take(self, event: Event) -> str:
        """The text in an event, empty for all that carries none. A ModelFault, or what a wrong shape raises."""


async def pieces(response: httpx2.Response, told: Told, pause: Pause) -> AsyncGenerator[str, None]:
    """What a model says until that is over, or the response is. The text before a fault comes before the fault."""
    events, reads, now = Events(), response.aiter_bytes(), asyncio.get_running_loop().time
    due, until = now(), None
    while not told.is_over and (read := await _next(reads, told, until)) is not None:
        seconds, (said, fault) = pause(), _taken(events.completed(read), told)
        for piece in ["".join(said)] if said and seconds else said:
            yield piece
        if fault is not None:
            if told.is_whole and not isinstance(fault, Refused):
                return
            raise fault
        if (patience_seconds := told.patience_seconds) is None:
            until = None
        elif said or until is None:
            until = now() + patience_seconds
        # Others have their turn in between, however much is there already.
        due = max(now(), due + seconds)
        await asyncio.sleep(0 if told.is_over else due - now())
    await _drained(reads)


def _taken(events: Iterator[Event], told: Told) -> tuple[list[str], Exception | None]:
    """The pieces of text in events, up to the last one or one with a fault, and the fault."""
    said: list[str] = []
    try:
        for event in events:
            said += [piece] if (piece := told.take(event)) else []
            if told.is_over:
                break
    except Exception as error:
        return said, error
    return said, None


async def _next(reads: AsyncIterator[bytes], told: Told, until: float | None) -> bytes | None:
    """The next read; None when there is none, or none by then, or it breaks where nothing more is needed."""
    limit = asyncio.timeout_at(until)
    try:
        async with limit:
            return await anext(reads, None)
    except Exception:
        if limit.expired() or told.is_whole:
            return None
        raise


async def _drained(reads: AsyncIterator[bytes]) -> None:
    """Reads on to the end of a response, unless that is long in coming, or broken in whatever way."""
    with suppress(Exception):
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            async for _ in reads:
                pass
