"""What a person looks for in their conversations, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.snippet import Snippet


@dataclass(frozen=True)
class Filter:
    """Which conversations: the archived ones or the others, with this character, with these words in their titles."""

    archived: bool = False
    character: str = ""
    query: str = ""


@dataclass(frozen=True)
class Search:
    """Which messages: with these words, in one conversation or in all."""

    query: str
    conversation: UUID | None = None


@dataclass(frozen=True)
class Match:
    """A message that was found, the title of its conversation, and the piece that shows why."""

    message: Message
    title: str
    snippet: Snippet
