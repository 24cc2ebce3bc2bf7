"""One title in several sources is one title, and a character of it is one character.

Titles are the same by their normal name and year, a film never the same as a series; an anime or a cartoon may be
either. Of one source no two are the same: a source knows its own, and many a name was used twice in one year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.search_svc.domain.entries import (
    ACTORS_MAX,
    ALIASES_MAX,
    CHARACTERS_MAX,
    YEAR_UNKNOWN,
    Character,
    Kind,
    Title,
)
from services.search_svc.terms import normal

DEFINITE = frozenset({Kind.FILM, Kind.SERIES})


@dataclass(frozen=True, slots=True)
class Sourced:
    """A title as one source tells it; the lower precedence is believed."""

    title: Title
    source: str
    precedence: int


@dataclass(slots=True)
class Same:
    """Titles that are the same, the one that is believed first; `nature` is film or series, None while not known."""

    titles: list[Title] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    nature: Kind | None = None

    def admits(self, one: Sourced) -> bool:
        nature = _nature(one.title)
        return one.source not in self.sources and (nature is None or self.nature in (None, nature))

    def add(self, one: Sourced) -> None:
        self.titles.append(one.title)
        self.sources.add(one.source)
        self.nature = self.nature or _nature(one.title)


def match_key(title: Title) -> str:
    """Equal for titles that may be the same; a title without a year or without letters is like no other."""
    words = normal(title.name)
    return f"{words}|{title.year}" if words and title.year != YEAR_UNKNOWN else title.id


def merged(alike: Iterable[Sourced]) -> Iterator[Title]:
    """The titles that titles of one match key are, whatever the order in which they come."""
    found: list[Same] = []
    # Where a source's next title of a nature may find its like: those before it have one, or are of another nature.
    begin: dict[tuple[str, Kind | None], int] = {}
    for one in sorted(alike, key=_believed_first):
        key = (one.source, _nature(one.title))
        position = begin.get(key, 0)
        while position < len(found) and not found[position].admits(one):
            position += 1
        if position == len(found):
            found.append(Same())
        found[position].add(one)
        begin[key] = position + 1
    for same in found:
        yield united(same.titles)


def united(titles: Sequence[Title]) -> Title:
    """The first title with what the others know more: aliases, characters, an overview, how well it is known."""
    first, *others = titles
    kept = replace(first, characters=tuple(_without_doubles(first.characters)))
    if not others:
        return kept
    return replace(
        kept,
        aliases=_aliases(kept, others),
        popularity=max(title.popularity for title in titles),
        characters=_characters([title.characters for title in titles]),
        adult=any(title.adult for title in titles),
        overview=next((title.overview for title in titles if title.overview), ""),
    )


def _believed_first(one: Sourced) -> tuple[int, str, float, str]:
    return one.precedence, one.source, -one.title.popularity, one.title.id


def _nature(title: Title) -> Kind | None:
    return title.kind if title.kind in DEFINITE else None


def _characters(casts: Sequence[Sequence[Character]]) -> tuple[Character, ...]:
    """The first cast with those of the others that it lacks, the best known if they are too many."""
    kept = {_called(one): one for one in _without_doubles(casts[0])}
    names = {normal(alias): key for key, one in kept.items() for alias in one.aliases} | {key: key for key in kept}
    for cast in casts[1:]:
        for one in _without_doubles(cast):
            key = names.setdefault(_called(one), _called(one))
            kept[key] = _completed(kept[key], one) if key in kept else one
    if len(kept) <= CHARACTERS_MAX:
        return tuple(kept.values())
    return tuple(sorted(kept.values(), key=lambda one: (-one.popularity, one.id))[:CHARACTERS_MAX])


def _completed(first: Character, other: Character) -> Character:
    """The first with the other's aliases, and its persona and actors where there are none."""
    return replace(
        first,
        aliases=_aliases(first, [other]),
        persona=first.persona or other.persona,
        actors=first.actors or other.actors,
    )


def _without_doubles(cast: Sequence[Character]) -> Iterable[Character]:
    """A cast in which every name stands once: who is played young and old is one, with both actors."""
    kept: dict[str, Character] = {}
    for one in cast:
        key = _called(one)
        kept[key] = _joined(kept[key], one) if key in kept else one
    return kept.values()


def _joined(first: Character, other: Character) -> Character:
    actors = {actor.id: actor for actor in (*first.actors, *other.actors)}
    return replace(
        _completed(first, other),
        popularity=max(first.popularity, other.popularity),
        actors=tuple(actors.values())[:ACTORS_MAX],
    )


def _called(one: Character) -> str:
    return normal(one.name) or one.id


def _aliases(first: Title | Character, others: Iterable[Title | Character]) -> tuple[str, ...]:
    """The first's own, then those of the others that say something else."""
    kept = list(first.aliases)
    said = {normal(first.name), *(normal(alias) for alias in kept), ""}
    for alias in (name for other in others for name in (other.name, *other.aliases)):
        words = normal(alias)
        if words not in said and len(kept) < ALIASES_MAX:
            said.add(words)
            kept.append(alias)
    return tuple(kept)
