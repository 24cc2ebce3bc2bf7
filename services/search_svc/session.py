"""What one search box says: only the newest of it is worth an answer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic, NamedTuple, Protocol, TypeVar

from runtime.errors import InvalidArgument


class Keystroke(Protocol):
    """What stands in the box after the keystroke of this number."""

    @property
    def sequence(self) -> int: ...


K = TypeVar("K", bound=Keystroke)


class Newest(NamedTuple, Generic[K]):
    """A keystroke, and how many were passed over since the one before."""

    keystroke: K
    skipped: int


async def newest(keystrokes: AsyncIterator[K]) -> AsyncGenerator[Newest[K], None]:
    """The newest keystroke, as often as the caller is ready for one and there is one; at the end the last.

    However slow the caller is, one is kept. InvalidArgument (SEQUENCE_NOT_GROWING), or what reading ends with, comes
    after the keystrokes before it.
    """
    box: Box[K] = Box()
    reading = asyncio.create_task(box.fill(keystrokes))
    reading.add_done_callback(lambda _: box.changed.set())
    try:
        while True:
            box.changed.clear()
            if (taken := box.take()) is not None:
                yield taken
            elif reading.done():
                break
            else:
                await box.changed.wait()
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


class Box(Generic[K]):
    """Holds the newest keystroke that nobody took yet."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._keystroke: K | None = None
        self._skipped = 0

    async def fill(self, keystrokes: AsyncIterator[K]) -> None:
        last = 0
        async for keystroke in keystrokes:
            if keystroke.sequence <= last:
                raise InvalidArgument(
                    f"sequence: {keystroke.sequence} does not come after {last}", reason="SEQUENCE_NOT_GROWING"
                )
            last = keystroke.sequence
            if self._keystroke is not None:
                self._skipped += 1
            self._keystroke = keystroke
            self.changed.set()

    def take(self) -> Newest[K] | None:
        if self._keystroke is None:
            return None
        taken = Newest(self._keystroke, self._skipped)
        self._keystroke, self._skipped = None, 0
        return taken
