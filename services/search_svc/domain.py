"""Titles and their characters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from runtime.errors import NotFound


class Kind(StrEnum):
    FILM = "film"
    SERIES = "series"
    ANIME = "anime"
    CHARACTER = "character"


@dataclass(frozen=True)
class Character:
    """Somebody to talk to. `persona` is one sentence; `popularity` is 1 to 100."""

    id: str
    name: str
    aliases: tuple[str, ...]
    persona: str
    popularity: int


@dataclass(frozen=True)
class Title:
    """A film, a series or an anime, with its characters. `popularity` is 1 to 100."""

    id: str
    name: str
    kind: Kind
    year: int
    aliases: tuple[str, ...]
    popularity: int
    characters: tuple[Character, ...]

    def best_known_first(self) -> tuple[Character, ...]:
        return tuple(sorted(self.characters, key=lambda character: (-character.popularity, character.name)))


@dataclass(frozen=True)
class Document:
    """What can be found: a title, or a character with the title it comes from."""

    entry: Title | Character
    title: Title

    @property
    def kind(self) -> Kind:
        return self.title.kind if isinstance(self.entry, Title) else Kind.CHARACTER

    @property
    def rank(self) -> tuple[int, str, str, str]:
        """The order of documents that match a query equally well."""
        return (-self.entry.popularity, self.entry.name, self.kind, self.entry.id)


@dataclass(frozen=True)
class Suggestion:
    """A document that a query may mean; `alias` is the one that matched, empty when the name did."""

    document: Document
    alias: str


class Catalogue:
    """Every title, and every character with the title it comes from."""

    def __init__(self, titles: Iterable[Title]) -> None:
        self._titles = {title.id: title for title in titles}
        self._characters = {
            character.id: (character, title) for title in self._titles.values() for character in title.characters
        }

    def __iter__(self) -> Iterator[Title]:
        return iter(self._titles.values())

    def title(self, title_id: str) -> Title:
        if title_id not in self._titles:
            raise NotFound("The catalogue has no such title.", reason="TITLE_NOT_FOUND", metadata={"title": title_id})
        return self._titles[title_id]

    def character(self, character_id: str) -> tuple[Character, Title]:
        """The character and the title it comes from."""
        if character_id not in self._characters:
            raise NotFound(
                "The catalogue has no such character.",
                reason="CHARACTER_NOT_FOUND",
                metadata={"character": character_id},
            )
        return self._characters[character_id]
