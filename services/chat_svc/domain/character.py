"""Characters that people make up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PREFIX = "customCharacters/"
# What a character is called by everybody: of the catalogue's, or of a person's own.
NAME = re.compile(r"characters/[a-z0-9]+(-[a-z0-9]+)*|customCharacters/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAME_CHARACTERS_MAX = 140


@dataclass(frozen=True)
class CustomCharacter:
    """One person's own character; `greeting` is what it says first, empty for nothing."""

    user: str
    id: UUID
    display_name: str
    title: str
    persona: str
    greeting: str
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.id}"


def is_name(text: str) -> bool:
    """Whether a text names a character, though perhaps one that there is not."""
    return len(text) <= NAME_CHARACTERS_MAX and NAME.fullmatch(text) is not None


def custom_id(character: str) -> UUID | None:
    """The id in `customCharacters/{uuid}`; None for a character of the catalogue."""
    return UUID(character.removeprefix(PREFIX)) if character.startswith(PREFIX) else None
