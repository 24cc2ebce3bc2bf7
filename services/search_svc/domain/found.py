"""What is asked of an index, and what it finds."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.search_svc.domain.entries import Kind

# No query is answered further than this.
HITS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for. No kinds mean all; a year of 0 sets no limit."""

    kinds: frozenset[Kind] = frozenset()
    year_min: int = 0
    year_max: int = 0
    include_adult: bool = False


class Match(StrEnum):
    """How a query matched, best first."""

    EXACT_NAME = "exact name"
    EXACT_ALIAS = "exact alias"
    NAME_PREFIX = "name prefix"
    ALIAS_PREFIX = "alias prefix"
    LATER_WORD_OF_NAME = "later word of name"
    LATER_WORD_OF_ALIAS = "later word of alias"
    WORDS = "words"
    WITHOUT_SPACES = "without spaces"
    ACTOR = "actor"


class Score(NamedTuple):
    """Why a hit ranks where it does; `total` is the sum of the points."""

    match: Match
    match_points: float
    typos: int
    typo_points: float
    missing_points: float
    popularity_points: float

    @property
    def total(self) -> float:
        return self.match_points + self.typo_points + self.missing_points + self.popularity_points


class Hit(NamedTuple):
    """An entry that a query may mean.

    `id` is the slug in its resource's name, `alias` or `actor` is what matched when it was not the name.
    """

    id: str
    name: str
    kind: Kind
    title_name: str
    year: int
    popularity: float
    alias: str = ""
    actor: str = ""
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a page, best first, and how many there are in all, as far as they are counted."""

    hits: tuple[Hit, ...] = ()
    total: int = 0

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)
