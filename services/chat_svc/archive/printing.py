"""Printing in processes of its own: a few at once, and no more waiting than can be done in time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import structlog

from runtime.errors import FailedPrecondition, Overloaded, Unavailable
from services.chat_svc.archive.press import LENGTH, framed

log = structlog.get_logger()

PRESS = "services.chat_svc.archive.press"

# A sheet of so much is printed in about a second, and in several where all processors are busy.
SHEET_SIZE_MAX = 500_000
# What a line takes beside its letters, in letters.
LINE_SIZE = 50
# Three of the largest are printed well within the time that a call has.
SIZE_MAX_PER_PRESS = 3 * SHEET_SIZE_MAX
SECONDS_MAX = 10.0
PER_PERSON_MAX = 2
RETRY_SECONDS = 2.0

# Every other processor is left to answers.
PRESSES_MAX = 4


@dataclass(frozen=True)
class Sheet:
    """What is to be printed: a title, when that was, and what was said by whom (called so, text)."""

    title: str
    when: str
    said: Sequence[tuple[str, str]]

    @property
    def size(self) -> int:
        """How much work it is, in letters."""
        letters = sum(len(text) for _, text in self.said)
        # The lines of what is too much without them are not counted: megabytes of them would hold up answers.
        if letters > SHEET_SIZE_MAX:
            return letters
        return letters + LINE_SIZE * sum(len(text.splitlines()) + 1 for _, text in self.said)


class Printer:
    """Prints in up to `presses` processes, which start when they are needed. See `printing`, which ends them."""

    def __init__(self, presses: int) -> None:
        self._places = asyncio.Semaphore(presses)
        self._size_max = presses * SIZE_MAX_PER_PRESS
        self._size = 0
        self._asked: Counter[str] = Counter()
        self._idle: list[Process] = []
        self._presses: set[Process] = set()

    async def print(self, user: str, sheet: Sheet) -> bytes:
        """The sheet as PDF; what is not waited for any more is not printed to its end.

        FAILED_PRECONDITION (reason TOO_LARGE) for a sheet that takes too long, RESOURCE_EXHAUSTED (reason PRINTER_BUSY)
        when the person has two in work already, or all people together so much that it could not be done in time.
        """
        size = sheet.size
        if size > SHEET_SIZE_MAX:
            raise too_long()
        if self._asked[user] >= PER_PERSON_MAX or self._size + size > self._size_max:
            raise Overloaded(
                "Much is being printed just now: try again in a moment.",
                reason="PRINTER_BUSY",
                retry_after_seconds=RETRY_SECONDS,
            )
        self._size += size
        self._asked[user] += 1
        try:
            async with self._places:
                return await self._printed(json.dumps(asdict(sheet)).encode())
        finally:
            self._size -= size
            self._asked[user] -= 1
            if not self._asked[user]:
                del self._asked[user]

    async def end(self) -> None:
        """Ends every process."""
        for press in list(self._presses):
            await self._end(press)

    async def _printed(self, sheet: bytes) -> bytes:
        press = await self._free()
        try:
            async with asyncio.timeout(SECONDS_MAX):
                printed = await _asked(press, sheet)
        except TimeoutError:
            await self._end(press)
            raise too_long() from None
        except (asyncio.IncompleteReadError, OSError) as error:
            await self._end(press)
            log.exception("a process that prints has died")
            raise Unavailable("This cannot be printed just now.", reason="PRINTING_UNAVAILABLE") from error
        except BaseException:
            await self._end(press)
            raise
        self._idle.append(press)
        return printed

    async def _free(self) -> Process:
        """A process that has nothing to do."""
        while self._idle:
            press = self._idle.pop()
            if press.returncode is None:
                return press
            self._presses.discard(press)
        # In a session of its own, so that it ends with this process and not before, whoever presses Ctrl-C.
        press = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PRESS, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        self._presses.add(press)
        return press

    async def _end(self, press: Process) -> None:
        if press.returncode is None:
            press.kill()
        await press.wait()
        self._presses.discard(press)


async def _asked(press: Process, sheet: bytes) -> bytes:
    assert press.stdin is not None  # noqa: S101 (it was started with both)
    assert press.stdout is not None  # noqa: S101
    press.stdin.write(framed(sheet))
    await press.stdin.drain()
    (length,) = LENGTH.unpack(await press.stdout.readexactly(LENGTH.size))
    return await press.stdout.readexactly(length)


def too_long() -> FailedPrecondition:
    return FailedPrecondition(
        "The conversation is too long for one such file: export it as Markdown or text.", reason="TOO_LARGE"
    )


@asynccontextmanager
async def printing() -> AsyncIterator[Printer]:
    """A printer while the block runs: here it would hold up answers."""
    printer = Printer(min(PRESSES_MAX, max(1, (os.cpu_count() or 1) // 2)))
    try:
        yield printer
    finally:
        await printer.end()
