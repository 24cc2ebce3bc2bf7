"""Indexes in memory, of titles that are made up."""

from collections.abc import Iterable, Sequence

from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.index.artifact import Artifact
from services.search_svc.index.build import assembled
from services.search_svc.index.index import Index


def index(titles: Iterable[Title]) -> Index:
    head, arrays = assembled(titles, 1)
    return Index(Artifact(head, arrays, ""))


def title(
    name: str,
    popularity: float = 50,
    aliases: Sequence[str] = (),
    kind: Kind = Kind.FILM,
    characters: Sequence[str] = (),
    *,
    year: int = 2000,
    adult: bool = False,
    actors: Sequence[str] = (),
) -> Title:
    """A title whose characters are as well known as it is, all of them played by the same actors."""
    slug = name.lower().replace(" ", "-")
    cast = tuple(Actor(one.lower().replace(" ", "-"), one) for one in actors)
    people = tuple(
        Character(f"{slug}-{number}", one, (), "Somebody who waits.", popularity, cast)
        for number, one in enumerate(characters)
    )
    return Title(slug, name, kind, year, tuple(aliases), popularity, people, adult)


def names(titles: Iterable[Title], query: str) -> list[str]:
    """The names of what is found, best first."""
    return [hit.name for hit in index(titles).search(query, limit=50)]
