"""The numbered log of an answer: 1 is Started, then a Delta for every piece, the last is Finished or Failed.

A log is a function of the two messages and nothing else, so whoever has the rows has the log, with the same numbers.
While an answer is live its log is a list of strings: the model's id, then the pieces. The place in that list, counted
from 1, is the number of the event.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.chat_svc.domain.conversation import Message


@dataclass(frozen=True)
class Started:
    question: Message
    model: str


@dataclass(frozen=True)
class Delta:
    text: str


@dataclass(frozen=True)
class Ended:
    """Finished when the answer is complete, Failed otherwise."""

    answer: Message


@dataclass(frozen=True)
class Event:
    """One event of the log of the answer named `message`."""

    message: str
    number: int
    what: Started | Delta | Ended


def live_event(question: Message, answer: Message, number: int, entry: str) -> Event:
    """The event of one entry of a live log."""
    return Event(answer.name, number, Started(question, entry) if number == 1 else Delta(entry))


def ended_log(question: Message, answer: Message) -> Iterator[Event]:
    """The whole log of an answer that has ended."""
    entries = (answer.model, *answer.pieces)
    for number, entry in enumerate(entries, 1):
        yield live_event(question, answer, number, entry)
    yield Event(answer.name, len(entries) + 1, Ended(answer))


def rest_of_log(question: Message, answer: Message, after: int) -> Iterator[Event]:
    """The events behind number `after` of an answer that has ended.

    Whoever has seen more than there is (events that their dying process could not keep) still learns how it ended.
    """
    events = list(ended_log(question, answer))
    last = events[-1]
    yield from events[after:] if after <= last.number else [last]


def spoken(text: str) -> str:
    """The text as it can be kept and sent: without NUL, which PostgreSQL refuses, and without lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def contiguous(batches: Iterable[tuple[int, list[str]]]) -> list[str]:
    """The live log that numbered batches make: `(number of the first entry, entries)`, repeats allowed.

    Ends at the first gap: what follows one cannot be numbered by a reader who has not seen what is missing.
    """
    log: list[str] = []
    for first, entries in sorted(batches, key=lambda batch: batch[0]):
        if first > len(log) + 1:
            break
        log += entries[len(log) + 1 - first :]
    return log
