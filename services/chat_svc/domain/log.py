"""The numbered log of an answer: 1 is Started, the last is Finished or Failed.

In between are a Delta for every piece, and a Seam where another model took over.

While an answer is live its log is a list of entries, and what is kept of it is that list: the place of an entry in it,
counted from 1, is the number of its event. So whoever has the entries has the log, with the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import Began, Entry, Said, Seam
from services.chat_svc.domain.routing import Decision


@dataclass(frozen=True)
class Started:
    question: Message | None
    model: str
    decision: Decision | None = None


@dataclass(frozen=True)
class Ended:
    """Finished when the answer is complete, Failed otherwise."""

    answer: Message


@dataclass(frozen=True)
class Delayed:
    """What comes next cannot be read here just now. Not a part of the log: its number is that of the event before."""


@dataclass(frozen=True)
class Event:
    """One event of the log of the answer named `message`."""

    message: str
    number: int
    what: Started | Said | Seam | Delayed | Ended


def live_event(question: Message | None, answer: Message, number: int, entry: Entry | Delayed) -> Event:
    """The event of one entry of a live log, or of its delay."""
    match entry:
        case Began(model, decision):
            return Event(answer.name, number, Started(question, model, decision))
        case _:
            return Event(answer.name, number, entry)


def explained(answer: Message) -> Message:
    """An answer that ended before its first word, with a log that says what was decided, where that is to be told."""
    if answer.log or answer.spent.decision is None:
        return answer
    return replace(answer, log=(Began(answer.model, answer.spent.decision),))


def ended_log(question: Message | None, answer: Message) -> Iterator[Event]:
    """The whole log of an answer that has ended."""
    entries = answer.log or (Began(answer.model),)
    for number, entry in enumerate(entries, 1):
        yield live_event(question, answer, number, entry)
    yield Event(answer.name, len(entries) + 1, Ended(answer))


def rest_of_log(question: Message | None, answer: Message, after: int) -> Iterator[Event]:
    """The events behind number `after` of an answer that has ended.

    Whoever has seen as much as there is, or more (events that their dying process could not keep), still learns how it
    ended.
    """
    events = list(ended_log(question, answer))
    yield from events[after:] or events[-1:]


def spoken(text: str) -> str:
    """The text as it can be kept and sent: without NUL, which PostgreSQL refuses, and without lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
