"""Printing in processes of its own."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime.errors import FailedPrecondition, Overloaded, Unavailable
from services.chat_svc.archive.pdf import pdf
from services.chat_svc.archive.printing import SHEET_SIZE_MAX, Printer, Sheet
from tests.service.chat_svc.replica import eventually

SHORT = Sheet("A talk", "2026-11-21", [("You", "Who are you?")])
LARGEST = Sheet("A talk", "2026-11-21", [("You", "a" * (SHEET_SIZE_MAX - 100))])
PRINTED = pdf(SHORT.title, SHORT.when, SHORT.said)


@pytest.fixture
async def printer() -> AsyncIterator[Printer]:
    """A printer with one process."""
    printer = Printer(1)
    yield printer
    await printer.end()


async def press(printer: Printer) -> Process:
    """The process, which has printed something."""
    assert await printer.print("alice", SHORT) == PRINTED
    (press,) = printer._presses
    return press


@asynccontextmanager
async def held(printer: Printer, *asked: tuple[str, Sheet]) -> AsyncIterator[list[asyncio.Task[bytes]]]:
    """Sheets that people are waiting for, while the process stands still."""
    standing = await press(printer)
    os.kill(standing.pid, signal.SIGSTOP)
    tasks = [asyncio.create_task(printer.print(user, sheet)) for user, sheet in asked]
    await eventually(lambda: not printer._idle)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_one_process_prints_one_sheet_after_the_other(printer: Printer) -> None:
    first = await press(printer)
    assert await asyncio.gather(*(printer.print(user, SHORT) for user in ("bob", "carol"))) == [PRINTED] * 2
    assert printer._presses == {first}


async def test_what_nobody_waits_for_any_more_is_not_printed(printer: Printer) -> None:
    first = await press(printer)
    async with held(printer, ("alice", SHORT)) as (task,):
        task.cancel()
        await asyncio.wait([task])
        assert first.returncode == -signal.SIGKILL
    assert await press(printer) is not first


async def test_a_sheet_that_takes_too_long_is_refused_for_good(
    printer: Printer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chat_svc.archive.printing.SECONDS_MAX", 0.0)
    with pytest.raises(FailedPrecondition) as refusal:
        await printer.print("alice", SHORT)
    assert (refusal.value.reason, printer._presses) == ("TOO_LARGE", set())


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
async def test_a_sheet_that_is_too_large_is_not_begun(printer: Printer, end: str) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        await printer.print("alice", Sheet("", "", [("", f"a{end}" * (SHEET_SIZE_MAX // 50))]))
    assert (refusal.value.reason, printer._presses) == ("TOO_LARGE", set())


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a", 101),
        ("a\r\nb", 154),
        ("a\u2028b\n", 154),
        # What is too much without its lines is weighed without them.
        ("\n" * (SHEET_SIZE_MAX + 1), SHEET_SIZE_MAX + 1),
    ],
)
def test_a_sheet_weighs_what_its_letters_and_lines_do(text: str, size: int) -> None:
    assert Sheet("", "", [("You", text)]).size == size


async def test_nobody_has_more_than_two_in_work(printer: Printer) -> None:
    async with held(printer, ("alice", SHORT), ("alice", SHORT), ("bob", SHORT)) as (*_, bobs):
        with pytest.raises(Overloaded) as refusal:
            await printer.print("alice", SHORT)
        assert (refusal.value.reason, refusal.value.retry_after_seconds) == ("PRINTER_BUSY", 2.0)
        assert not bobs.done()


async def test_what_could_not_be_done_in_time_is_refused_at_once(printer: Printer) -> None:
    async with held(printer, ("alice", LARGEST), ("bob", LARGEST), ("carol", LARGEST)):
        with pytest.raises(Overloaded) as refusal:
            await printer.print("dave", SHORT)
    assert refusal.value.reason == "PRINTER_BUSY"
    assert await printer.print("dave", SHORT) == PRINTED


async def test_a_process_that_dies_is_followed_by_another(printer: Printer) -> None:
    first = await press(printer)
    async with held(printer, ("alice", SHORT)) as (task,):
        first.kill()
        with pytest.raises(Unavailable) as refusal:
            await task
    assert refusal.value.reason == "PRINTING_UNAVAILABLE"
    assert await press(printer) is not first


async def test_one_that_died_while_nobody_asked_is_not_noticed(printer: Printer) -> None:
    first = await press(printer)
    first.kill()
    await first.wait()
    assert await press(printer) is not first
