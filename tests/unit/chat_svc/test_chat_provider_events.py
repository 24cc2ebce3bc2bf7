"""Server-sent events of models, however their bytes are cut, and what is taken of them at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.crowd import PAUSE_SECONDS_MAX, Crowd, at_once
from services.chat_svc.domain.fault import Refused
from services.chat_svc.providers import events
from services.chat_svc.providers.events import Event, Events, pieces

ENDS = st.sampled_from(["\n", "\r", "\r\n"])
LINES = st.sampled_from(
    ["data: {}", "data:a", "data:  夏洛克 🕵️", "data", "event: error", "event:", ": still here", "id: 5"]
)


def told(*reads: bytes) -> list[Event]:
    stream = Events()
    return [event for read in reads for event in stream.completed(read)]


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        ("data: a\n\ndata: b\n\n", [Event("", "a"), Event("", "b")]),
        ("event: error\ndata:  a\n\ndata: b\n\n", [Event("error", " a"), Event("", "b")]),
        ("data: a\ndata: b\n\n", [Event("", "a\nb")]),
        ("\n\n: still here\nid: 5\nretry: 9\nunknown: a\n\n", []),
        ("event: ping\n\ndata: a\n\n", [Event("", "a")]),
        ("data\n\ndata:\n\n", []),
        ("data: a\r\rdata: b\r\n\r\n", [Event("", "a"), Event("", "b")]),
        ("data: a\n", []),
    ],
)
def test_a_stream_tells_its_events(sent: str, events: list[Event]) -> None:
    assert told(sent.encode()) == events


@given(st.lists(st.tuples(LINES, ENDS, st.integers(1, 2)), max_size=12), st.lists(st.integers(0, 200), max_size=6))
def test_however_a_stream_is_cut_it_tells_the_same(lines: list[tuple[str, str, int]], places: list[int]) -> None:
    sent = "".join(line + end * ends for line, end, ends in lines).encode()
    cuts = [0, *sorted(place for place in places if place < len(sent)), len(sent)]
    assert told(*(sent[here:there] for here, there in pairwise(cuts))) == told(sent)


@pytest.mark.parametrize("one", [b"data: ", b"data: a\n", b"data:\n"])
def test_an_event_without_an_end_is_refused_when_it_is_too_large(monkeypatch: pytest.MonkeyPatch, one: bytes) -> None:
    monkeypatch.setattr(events, "EVENT_BYTES_MAX", 100)
    assert len(told(*[b"data: a\n\n"] * 500)) == 500
    with pytest.raises(ValueError, match="too large"):
        told(*[one] * 500)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        told(b"data: \xff\n\n")


# Of the event loop, in which what is due by now happens.
LATE_TURNS = 10


class Reads(httpx2.AsyncByteStream):
    """A response that comes in these reads; `given` counts them. A fault is what reading it raises.

    Where it is `late`, the last read comes after whatever was due before it.
    """

    def __init__(self, *reads: bytes | Exception, late: bool = False) -> None:
        self._reads = reads
        self._late = late
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for read in self._reads:
            self.given += 1
            if self._late and self.given == len(self._reads):
                for _ in range(LATE_TURNS):
                    await asyncio.sleep(0)
            if isinstance(read, Exception):
                raise read
            yield read


class Told:
    """Takes what is told as it is; `end` is the last word, `fault` and `refusal` are none at all.

    After `whole` nothing more is needed.
    """

    def __init__(self) -> None:
        self.is_over = False
        self.is_whole = False
        self.patience_seconds: float | None = None

    def take(self, event: Event) -> str:
        if event.data == "fault":
            raise ValueError("a fault")
        if event.data == "refusal":
            raise Refused("no")
        self.is_over, self.is_whole = event.data == "end", self.is_whole or event.data == "whole"
        return "" if event.data in ("end", "whole") else event.data


class Impatient(Told):
    """After `whole` nothing more is awaited, until there are words again."""

    def take(self, event: Event) -> str:
        said = super().take(event)
        self.is_whole = self.is_whole and not said
        self.patience_seconds = 0.0 if self.is_whole else None
        return said


def sent(*words: str) -> bytes:
    return b"".join(f"data: {word}\n\n".encode() for word in words)


async def heard(reads: Reads, answers: int = 1) -> Sequence[str]:
    pause = Crowd(answers).pause if answers > 1 else at_once
    return [piece async for piece in pieces(httpx2.Response(200, stream=reads), Told(), pause)]


async def test_every_word_is_a_piece_and_in_a_crowd_every_read() -> None:
    reads = (sent("a", "b"), sent("c"), sent("d", "e", "end", "f"))
    assert await heard(Reads(*reads)) == ["a", "b", "c", "d", "e"]
    assert await heard(Reads(*reads), answers=32) == ["a", "b", "c", "d", "e"]
    assert await heard(Reads(*reads), answers=33) == ["ab", "c", "de"]


@pytest.mark.parametrize(("answers", "said"), [(1, ["a", "b", "c"]), (33, ["a", "bc"])])
async def test_what_was_said_before_a_fault_comes_before_the_fault(answers: int, said: list[str]) -> None:
    stream = pieces(
        httpx2.Response(200, stream=Reads(sent("a"), sent("b", "c", "fault"))), Told(), Crowd(answers).pause
    )
    assert [await anext(stream) for _ in said] == said
    with pytest.raises(ValueError, match="a fault"):
        await anext(stream)


@pytest.mark.parametrize("last", [sent("fault"), httpx2.ReadError("cut off"), LookupError("whatever"), b""])
async def test_what_is_whole_stays_whole_whatever_comes_behind_it(last: bytes | Exception) -> None:
    assert await heard(Reads(sent("a", "whole"), last)) == ["a"]
    if isinstance(last, bytes):
        assert await heard(Reads(sent("a", "whole") + last)) == ["a"]
    else:
        with pytest.raises(type(last)):
            await heard(Reads(sent("a"), last))


async def test_a_refusal_takes_back_what_was_whole() -> None:
    with pytest.raises(Refused):
        await heard(Reads(sent("a", "whole", "refusal")))


async def test_whoever_talks_on_behind_a_whole_answer_is_awaited_again() -> None:
    for reads, said in (
        ([sent("a", "whole"), sent("b")], ["a"]),
        ([sent("a", "whole"), sent("b"), sent("c")], ["a", "b", "c"]),
        ([sent("a", "whole"), sent("b", "whole"), sent("c")], ["a", "b"]),
    ):
        response = httpx2.Response(200, stream=Reads(*reads, late=True))
        assert [piece async for piece in pieces(response, Impatient(), at_once)] == said


async def test_behind_the_end_a_response_is_read_to_its_own_end_so_that_its_connection_serves_again() -> None:
    odd: list[bytes | Exception] = [b"", httpx2.ReadError("cut off"), LookupError("whatever")]
    for reads in (Reads(sent("a", "end"), b"", last) for last in odd):
        assert await heard(reads) == ["a"]
        assert reads.given == 3


def test_of_many_answers_each_is_left_alone_for_longer_but_never_for_long() -> None:
    pauses = [Crowd(answers).pause() for answers in (0, 1, 32, 33, 100, 400, 100_000)]
    assert pauses[:3] == [0, 0, 0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_SECONDS_MAX
