"""Entries and queries for `benchmarks/search.py`, from a folder of data that is no part of this repository.

The real entries are the titles and characters of JustWatch (`derived/`, April 2023) and of quoted anime (`anime/`):
roles of people as themselves, uncredited ones and generic ones (`Waiter`) are left out, and one name is one character
of its title. What a query expects is always there; when there are more entries than asked for, those characters go
whose titles are the least known.
"""

import csv
import gzip
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from services.search_svc.domain.entries import POPULARITY_MAX, POPULARITY_MIN, Actor, Character, Kind, Title
from services.search_svc.terms import normal

# The TMDB popularity that counts as the highest there is.
TMDB_POPULARITY_MAX = 3000
# How much less known each next character of a title is.
BILLING_DECAY = 0.97

HALVES = ("tune", "report")

words = cache(normal)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed, and the normal name of what they meant; `noise` says what went wrong between the two."""

    text: str
    expected: str
    noise: str


@dataclass(slots=True)
class Draft:
    """A title whose cast is still being chosen: names, and who plays them, by normal name, in order of billing."""

    id: str
    name: str
    kind: Kind
    year: int
    popularity: float
    cast: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def add(self, name: str, actor: str = "") -> bool:
        """Whether the name is new here."""
        known = self.cast.get(words(name))
        if known is None:
            self.cast[words(name)] = (name, [actor] if actor else [])
        elif actor and actor not in known[1]:
            known[1].append(actor)
        return known is None

    def title(self, *, actors: bool) -> Title:
        """The title as the catalogue has it, with its actors or without."""
        characters = tuple(
            Character(
                id=f"{self.id}-{number}",
                name=name,
                aliases=(),
                persona="",
                popularity=max(POPULARITY_MIN, self.popularity * BILLING_DECAY**number),
                actors=tuple(Actor(_slug(actor), actor) for actor in played) if actors else (),
            )
            for number, (name, played) in enumerate(self.cast.values())
        )
        return Title(self.id, self.name, self.kind, self.year, (), self.popularity, characters)


@dataclass(frozen=True, slots=True)
class Role:
    """A character that may be added to its title."""

    name: str
    actor: str
    title: Draft

    @property
    def known(self) -> bool:
        return words(self.name) in self.title.cast

    def add(self) -> bool:
        return self.title.add(self.name, self.actor)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The titles with their casts so far, the roles that were left out, the least known last, and how many entries."""

    drafts: dict[str, Draft]
    left_out: list[Role]
    entries: int


def queries(data: Path, half: str) -> list[Query]:
    """The queries of a half, in an order that is always the same and follows nothing: a part of them is a sample."""
    ranked = []
    for row in rows(data / "derived/queries_noisy.csv.gz"):
        drawn = hashlib.blake2b("|".join(row.values()).encode(), digest_size=8).digest()
        if HALVES[drawn[0] % 2] == half:
            noise = row["noise"].replace("_", " ").replace("real misspelling:", "misspelled, ")
            ranked.append((drawn, Query(row["query"], words(row["expected_text"]), noise)))
    return [query for _, query in sorted(ranked, key=lambda pair: pair[0])]


def chosen(data: Path, entries: int) -> Chosen:
    """As many real entries as asked for, or all that there are."""
    drafts = {row["id"]: _draft(row) for row in rows(data / "derived/titles_merged.csv.gz") if words(row["title"])}
    known = len(drafts) + _add_anime(data, drafts)
    expected = _expected(data)
    roles: list[Role] = []
    generic: list[Role] = []
    for row in rows(data / "derived/characters_merged.csv.gz"):
        if row["title_id"] not in drafts:
            continue
        role = Role(row["character"], row["actor"], drafts[row["title_id"]])
        unnamed = row["is_self_or_uncredited"] == "1" or row["is_generic_role"] == "1"
        (generic if unnamed else roles).append(role)
    roles.sort(key=lambda role: -role.title.popularity)
    room = entries - known - len({_pair(role) for role in roles if _pair(role) in expected and not role.known})
    left_out = []
    for role in roles:
        if role.known or _pair(role) in expected:
            known += role.add()
        elif room > 0:
            room -= 1
            known += role.add()
        else:
            left_out.append(role)
    return Chosen(drafts, left_out + generic, known)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a gzipped CSV file with a header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def popularity(tmdb: float) -> float:
    """A popularity as TMDB counts it, as one from 1 to 100."""
    share = math.log10(1 + tmdb) / math.log10(1 + TMDB_POPULARITY_MAX)
    return min(POPULARITY_MAX, max(POPULARITY_MIN, 100 * share))


def _pair(role: Role) -> tuple[str, str]:
    return words(role.name), role.title.id


def _expected(data: Path) -> set[tuple[str, str]]:
    """Normal names and ids of titles of the characters that queries of either half expect."""
    return {
        (words(row["expected_text"]), row["target_id"])
        for row in rows(data / "derived/queries_noisy.csv.gz")
        if row["target_kind"] == "character"
    }


def _draft(row: dict[str, str]) -> Draft:
    if "animation" in row["genres"]:
        kind = Kind.ANIME if "JP" in row["production_countries"] else Kind.CARTOON
    else:
        kind = Kind.FILM if row["type"] == "MOVIE" else Kind.SERIES
    return Draft(
        row["id"], row["title"], kind, int(row["release_year"]), popularity(float(row["tmdb_popularity"] or 0))
    )


def _add_anime(data: Path, drafts: dict[str, Draft]) -> int:
    """Adds the quoted characters, the most quoted first, and their anime when it is not there; how many came new."""
    quoted = list(rows(data / "anime/anime_characters_from_quotes.csv.gz"))
    quotes: dict[str, int] = {}
    for row in quoted:
        quotes[row["anime"]] = quotes.get(row["anime"], 0) + int(row["n_quotes"])
    known = {words(draft.name): draft for draft in drafts.values() if draft.kind is Kind.ANIME}
    added = 0
    for row in quoted:
        anime = known.get(words(row["anime"]))
        if anime is None:
            number = popularity(quotes[row["anime"]])
            anime = Draft(f"anime-{len(drafts)}", row["anime"] or "Unnamed", Kind.ANIME, 0, number)
            drafts[anime.id] = known[words(row["anime"])] = anime
            added += 1
        added += anime.add(row["name"])
    return added


@cache
def _slug(name: str) -> str:
    return "person-" + hashlib.blake2b(words(name).encode(), digest_size=6).hexdigest()
