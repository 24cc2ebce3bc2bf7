"""The live log of one answer in the process that runs it.

Memory is bounded by the answer's length; whoever reads slowly holds nobody up.
"""

import asyncio
from collections.abc import AsyncGenerator

from services.chat_svc.domain.entry import Entry


class LiveLog:
    """Entries of which the first `shown` are for watchers to see."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.shown = 0
        self._complete = False
        self._closed = False
        self._changed = asyncio.Event()

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._wake()

    def show(self, count: int) -> None:
        """Lets watchers see the first `count` entries."""
        self.shown = count
        self._wake()

    def complete(self) -> None:
        """No more entries will come."""
        self._complete = True
        self._wake()

    def close(self) -> None:
        """What is left to tell stands in the database."""
        self._closed = True
        self._wake()

    async def unshown(self) -> int:
        """Waits for entries that are not shown yet; gives how many there are with them, 0 when none will come."""
        while len(self.entries) == self.shown and not self._complete:
            await self._changed.wait()
        return len(self.entries) if len(self.entries) > self.shown else 0

    async def follow(self, after: int) -> AsyncGenerator[tuple[int, Entry], None]:
        """Entries behind number `after` with their numbers, as they come; ends when the log closes."""
        while True:
            for number in range(after + 1, self.shown + 1):
                after = number
                yield number, self.entries[number - 1]
            if after < self.shown:
                continue
            if self._closed:
                return
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
