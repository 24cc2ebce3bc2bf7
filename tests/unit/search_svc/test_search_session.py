import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from runtime.errors import InvalidArgument
from services.search_svc.session import Newest, newest


@dataclass(frozen=True)
class Typed:
    sequence: int


class Typist:
    """A stream of keystrokes that the test feeds."""

    def __init__(self) -> None:
        self._keystrokes: asyncio.Queue[Typed | Exception | None] = asyncio.Queue()
        self.ended = False

    def types(self, *sequences: int) -> None:
        for sequence in sequences:
            self._keystrokes.put_nowait(Typed(sequence))

    def leaves(self, error: Exception | None = None) -> None:
        self._keystrokes.put_nowait(error)

    async def read(self) -> AsyncIterator[Typed]:
        """Ends with the block of its reader, as a call's requests do."""
        try:
            while (keystroke := await self._keystrokes.get()) is not None:
                if isinstance(keystroke, Exception):
                    raise keystroke
                yield keystroke
        finally:
            self.ended = True

    async def taken(self) -> None:
        """All that was typed has been read."""
        while not self._keystrokes.empty():
            await asyncio.sleep(0)
        await asyncio.sleep(0)


def of(sequence: int, skipped: int) -> Newest[Typed]:
    return Newest(Typed(sequence), skipped)


async def test_every_keystroke_has_its_turn_when_nobody_waits() -> None:
    typist = Typist()
    answered = []
    async with aclosing(newest(typist.read())) as keystrokes:
        for sequence in (1, 2, 7):
            typist.types(sequence)
            answered.append(await anext(keystrokes))
        typist.leaves()
        assert [one async for one in keystrokes] == []
    assert answered == [of(1, 0), of(2, 0), of(7, 0)]


async def test_only_the_newest_of_those_that_wait_has_a_turn() -> None:
    typist = Typist()
    async with aclosing(newest(typist.read())) as keystrokes:
        typist.types(1)
        assert await anext(keystrokes) == of(1, 0)
        typist.types(2, 3, 4)
        await typist.taken()
        assert await anext(keystrokes) == of(4, 2)
        typist.types(5)
        assert await anext(keystrokes) == of(5, 0)


async def test_what_waits_at_the_end_still_has_its_turn() -> None:
    typist = Typist()
    async with aclosing(newest(typist.read())) as keystrokes:
        typist.types(1)
        assert await anext(keystrokes) == of(1, 0)
        typist.types(2, 3)
        typist.leaves()
        await typist.taken()
        assert [one async for one in keystrokes] == [of(3, 1)]
    assert typist.ended


@pytest.mark.parametrize("repeated", [3, 2, 0, -1])
async def test_a_sequence_that_does_not_grow_ends_it_after_what_was_said_before(repeated: int) -> None:
    typist = Typist()
    typist.types(1, 3, repeated)
    keystrokes = newest(typist.read())
    assert await anext(keystrokes) == of(3, 1)
    with pytest.raises(InvalidArgument) as refused:
        await anext(keystrokes)
    assert refused.value.reason == "SEQUENCE_NOT_GROWING"


async def test_the_first_sequence_is_one_or_more() -> None:
    typist = Typist()
    typist.types(0)
    with pytest.raises(InvalidArgument):
        await anext(newest(typist.read()))


async def test_a_message_that_cannot_be_read_ends_it() -> None:
    typist = Typist()
    typist.types(1)
    typist.leaves(InvalidArgument("query: too long"))
    async with aclosing(newest(typist.read())) as keystrokes:
        assert await anext(keystrokes) == of(1, 0)
        with pytest.raises(InvalidArgument, match="too long"):
            await anext(keystrokes)


async def test_an_empty_stream_ends() -> None:
    typist = Typist()
    typist.leaves()
    assert [one async for one in newest(typist.read())] == []


async def test_nobody_reads_on_when_the_answers_are_not_wanted_any_more() -> None:
    typist = Typist()
    before = asyncio.all_tasks()
    async with aclosing(newest(typist.read())) as keystrokes:
        typist.types(1)
        await anext(keystrokes)
        assert not typist.ended
    assert typist.ended
    assert asyncio.all_tasks() == before


async def test_a_caller_that_is_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    typist = Typist()
    before = asyncio.all_tasks()

    async def answer() -> None:
        async with aclosing(newest(typist.read())) as keystrokes:
            async for _ in keystrokes:
                pass

    answering = asyncio.create_task(answer())
    typist.types(1)
    await typist.taken()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    assert typist.ended
    assert asyncio.all_tasks() == before


async def test_however_many_wait_one_is_kept() -> None:
    async def flood() -> AsyncIterator[Typed]:
        for sequence in range(1, 100_001):
            yield Typed(sequence)

    assert [one async for one in newest(flood())] == [of(100_000, 99_999)]
