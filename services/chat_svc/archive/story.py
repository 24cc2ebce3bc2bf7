"""A conversation as a file tells it, whichever kind of file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from runtime.errors import InvalidArgument, Violation
from services.chat_svc.domain.conversation import Reaction, State
from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.group import Group
from services.chat_svc.domain.outcome import FinishReason, Usage

STORIES_MAX = 1_000
LINES_MAX = 10_000
TEXT_CHARACTERS_MAX = 64_000
TITLE_CHARACTERS_MAX = 200
MODEL_CHARACTERS_MAX = 100


class Untold(Exception):
    """A conversation of a file that cannot be taken: why, as a sentence."""

    def __init__(self, title: str, why: str) -> None:
        super().__init__(why)
        self.title = title
        self.why = why


@dataclass(frozen=True)
class Line:
    """One message. `key` is its name within the file, `parent` that of the one it was said after.

    `character` is who speaks, where the file names one of ours. `media` are the names of what it shows, `next` is the
    key of the answer that follows in its round, `log` what it came in, where that says more than the text.
    """

    key: str
    parent: str | None
    by_person: bool
    text: str
    at: datetime | None
    character: str = ""
    model: str = ""
    state: State = State.COMPLETE
    finish: FinishReason | None = None
    failure: FailureReason | None = None
    pinned: bool = False
    reaction: Reaction | None = None
    edited_at: datetime | None = None
    media: tuple[UUID, ...] = ()
    next: str | None = None
    usage: Usage | None = None
    log: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Made:
    """A character that a person made up, as a file tells it."""

    display_name: str
    title: str
    persona: str
    greeting: str


@dataclass(frozen=True)
class Story:
    """A conversation: its lines, parents first, and the one that its chosen branch ends with.

    `made` are its person's own characters by their names, `pictures` the images that the file brings.
    """

    title: str
    lines: tuple[Line, ...]
    current: str | None
    created_at: datetime | None
    character: str = ""
    others: tuple[str, ...] = ()
    group: Group | None = None
    archived: bool = False
    titled: bool = True
    summary: str = ""
    summary_until: str | None = None
    updated_at: datetime | None = None
    forked_from: UUID | None = None
    made: Mapping[str, Made] = field(default_factory=dict)
    pictures: Mapping[UUID, bytes] = field(default_factory=dict, repr=False)


Told = list[Story | Untold]


def each(values: Any, told: Callable[[Any], Story]) -> Told:
    """What each value of a list tells."""
    if not isinstance(values, list):
        raise unreadable("it holds no list of conversations")
    if len(values) > STORIES_MAX:
        raise unreadable(f"it holds more than {STORIES_MAX} conversations: divide it")
    stories: Told = []
    for value in values:
        try:
            stories.append(told(value))
        except Untold as error:
            stories.append(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            title = value.get("title") if isinstance(value, Mapping) else None
            stories.append(misshapen(line(title), error))
    return stories


def misshapen(title: str, error: Exception) -> Untold:
    """Why something of another shape cannot be told: what it lacks, where that is known."""
    lacks = f": it has no {line(str(error.args[0]))!r}" if isinstance(error, KeyError) else ""
    return Untold(title, f"It has another shape than this format{lacks}.")


def ordered(lines: Iterable[Line], title: str) -> tuple[Line, ...]:
    """The lines as they came, but none before its parent. Untold where that cannot be."""
    waiting: dict[str | None, list[Line]] = {}
    found: dict[str, Line] = {}
    keys: set[str] = set()
    for one in lines:
        if len(keys) == LINES_MAX:
            raise Untold(title, f"It has more than {LINES_MAX} messages.")
        if one.key in keys:
            raise Untold(title, "Two of its messages have the same name.")
        keys.add(one.key)
        if one.parent is not None and one.parent not in found:
            waiting.setdefault(one.parent, []).append(one)
            continue
        ready = [one]
        while ready:
            placed = ready.pop()
            found[placed.key] = placed
            ready += reversed(waiting.pop(placed.key, []))
    if waiting:
        raise Untold(title, "Some of its messages were said after one that is not there.")
    return tuple(found.values())


def newest(lines: tuple[Line, ...]) -> str | None:
    """The key of the line that was said last."""
    return lines[-1].key if lines else None


def text(value: Any) -> str:
    """A text as we keep texts; empty for none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("a text is none")
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:TEXT_CHARACTERS_MAX]


def key_of(value: Any) -> str:
    """A message's name within its file."""
    if value is None:
        raise TypeError("a message has no name")
    return text(value)


def parent_of(value: Any) -> str | None:
    """The name of the message that another was said after; None for none."""
    return key_of(value) if value is not None else None


def line(value: Any) -> str:
    """A title: one line."""
    return " ".join(text(value).split())[:TITLE_CHARACTERS_MAX] if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    """A time as files have it: ISO 8601, or seconds or milliseconds since 1970; None for anything else."""
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        found = datetime.fromisoformat(str(value))
        # At the ends of time, what another time zone calls a year is none in this one.
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def unreadable(why: str) -> InvalidArgument:
    """The error of a file that is none of its format."""
    fault = Violation("content", f"is no such file: {why}")
    return InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
