"""The live log of one answer in the process that runs it.

Memory is bounded by the answer's length; whoever reads slowly holds nobody up.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from services.chat_svc.domain.crowd import Crowd
from services.chat_svc.domain.entry import Entry, Said

# So many entries of all the live answers wait to be shown, shared evenly, before what is said next joins the last of
# them, up to this length: models that are faster than their watchers, or than this process, cost longer pieces, not
# more of them.
WAITING_MAX = 32
JOINED_CHARACTERS_MAX = 400


class LiveLog:
    """Entries of which the first `shown` are for watchers to see: at first, all that was `said` elsewhere."""

    def __init__(self, crowd: Crowd, said: Sequence[Entry] = ()) -> None:
        self._crowd = crowd
        self.entries: list[Entry] = [*said]
        self.shown = len(said)
        # Entries that are about to be shown: they stay as they are.
        self._taken = len(said)
        self._complete = False
        self._closed = False
        self._changed = asyncio.Event()

    def append(self, entry: Entry) -> None:
        """Adds what comes next; where many wait, a piece may become the end of the one before it."""
        waiting = len(self.entries) - self._taken
        last = self.entries[-1] if waiting >= self._crowd.share(of=WAITING_MAX) else None
        if isinstance(entry, Said) and isinstance(last, Said) and len(last.text) < JOINED_CHARACTERS_MAX:
            self.entries[-1] = Said(last.text + entry.text)
        else:
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
        self._taken = len(self.entries)
        return self._taken if self._taken > self.shown else 0

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
