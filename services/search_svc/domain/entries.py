"""Titles, their characters, and who played them."""

from dataclasses import dataclass
from enum import StrEnum

YEAR_UNKNOWN = 0
POPULARITY_MIN, POPULARITY_MAX = 1.0, 100.0
NAME_LENGTH_MAX = 300
ALIASES_MAX = 20
OVERVIEW_LENGTH_MAX = 2000
PERSONA_LENGTH_MAX = 400
CHARACTERS_MAX = 500
ACTORS_MAX = 20


class Kind(StrEnum):
    FILM = "film"
    SERIES = "series"
    ANIME = "anime"
    CARTOON = "cartoon"
    CHARACTER = "character"
    ACTOR = "actor"


TITLE_KINDS = frozenset({Kind.FILM, Kind.SERIES, Kind.ANIME, Kind.CARTOON})


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who played or voiced a character."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody to talk to. `persona` is one sentence, or empty; `popularity` is 1 to 100."""

    id: str
    name: str
    aliases: tuple[str, ...]
    persona: str
    popularity: float
    actors: tuple[Actor, ...] = ()


@dataclass(frozen=True, slots=True)
class Title:
    """A film, a series, an anime or a cartoon, with its characters.

    `popularity` is 1 to 100; `year` is that of the first release, 0 when it is not known.
    """

    id: str
    name: str
    kind: Kind
    year: int
    aliases: tuple[str, ...]
    popularity: float
    characters: tuple[Character, ...] = ()
    adult: bool = False
    overview: str = ""

    def best_known_first(self) -> tuple[Character, ...]:
        return tuple(sorted(self.characters, key=lambda character: (-character.popularity, character.name)))
