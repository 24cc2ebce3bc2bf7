"""Files that conversations go out into and come in from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from services.chat_svc.domain.conversation import Conversation


class Kind(Enum):
    """Kinds of files to take a conversation out into, by their content types."""

    JSON = "application/json"
    MARKDOWN = "text/markdown; charset=utf-8"
    TEXT = "text/plain; charset=utf-8"
    PDF = "application/pdf"


class Format(Enum):
    """Where files come from."""

    JSON = "json"
    SILLY_TAVERN = "silly_tavern"
    LIBRE_CHAT = "libre_chat"
    OPEN_WEB_UI = "open_web_ui"


@dataclass(frozen=True)
class File:
    """A conversation as a file."""

    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Skipped:
    """A conversation of a file that was not taken: its place there, from 1, its title, and why, as a sentence."""

    place: int
    title: str
    why: str


@dataclass(frozen=True)
class Imported:
    """What came of a file. `media_left_behind` is how many images messages showed that could not be had."""

    conversations: tuple[Conversation, ...]
    skipped: tuple[Skipped, ...]
    media_left_behind: int = 0
