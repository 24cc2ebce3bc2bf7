"""More entries for `benchmarks/search.py` than its data has real ones.

First come the other real names of the data: the roles that were left out and those of March 2023, everybody who played
them, films of IMDb (2005) and Wikidata with their people, and heroes of comics and games. The rest is made, always the
same: words of one real name with the last of another, each as often as it occurs, and with as many new words, coined of
the begin of one real word and the end of another, as keep the vocabulary growing with the power of the number of names
with which it grows among the real ones (Heaps' law). What has no popularity gets that of a random real title.
"""

import json
import math
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.search_data import Chosen, Draft, rows, words
from services.search_svc.domain.entries import Kind

SEED = 20260101
CAST = 20
HEROES = ("marvel_characters", "superheroes", "supervillains")
PEOPLE = ("Cast", "Director", "Writer")


class Names:
    """Adds names to those that were chosen until there are enough."""

    def __init__(self, data: Path, chosen: Chosen, entries: int) -> None:
        self._data = data
        self._drafts = chosen.drafts
        self._left_out = chosen.left_out
        self._missing = entries - chosen.entries
        self._random = random.Random(SEED)
        self._popularities = [draft.popularity for draft in chosen.drafts.values()]
        self._films = {(words(draft.name), draft.year) for draft in chosen.drafts.values()}

    def add(self) -> None:
        """All steps, each as far as names are missing."""
        for role in self._left_out:
            self._cast(role.title, role.name)
        for draft, name in self._credits():
            self._cast(draft, name)
        for draft, people in self._other_films():
            for name in people:
                self._cast(draft, name)
        self._make()

    def _cast(self, draft: Draft, name: str) -> None:
        if self._missing > 0 and words(name):
            self._missing -= draft.add(name)

    def _film(self, name: str, year: int, kind: Kind = Kind.FILM) -> Draft | None:
        """A new film of a random popularity, unless it is known."""
        if self._missing <= 0 or not words(name) or (words(name), year) in self._films:
            return None
        self._films.add((words(name), year))
        self._missing -= 1
        draft = Draft(f"film-{len(self._drafts)}", name, kind, year, self._random.choice(self._popularities))
        self._drafts[draft.id] = draft
        return draft

    def _credits(self) -> Iterator[tuple[Draft, str]]:
        """Roles of March 2023, then everybody who ever played one, at the first of their titles."""
        people: dict[str, Draft] = {}
        for path in sorted(self._data.glob("catalog/justwatch_*/*_credits.csv.gz")):
            for row in rows(path):
                draft = self._drafts.get(row["id"])
                if draft is not None:
                    people.setdefault(row["name"], draft)
                    yield draft, row["character"]
        for name, draft in people.items():
            yield draft, name

    def _other_films(self) -> Iterator[tuple[Draft, list[str]]]:
        for row in rows(self._data / "catalog/imdb2005_ggplot2movies.csv.gz"):
            film = self._film(row["title"], int(row["year"]), Kind.CARTOON if row["Animation"] == "1" else Kind.FILM)
            if film is not None:
                yield film, []
        known: set[str] = set()
        for row in rows(self._data / "catalog/wikidata_films_1940_2014.csv.gz"):
            film = self._film(row["Title"], int(row["Year"]))
            people = {name.strip() for role in PEOPLE for name in row[role].split(",")} - known
            if film is not None:
                known |= people
                yield film, sorted(people)

    def _heroes(self) -> Iterator[str]:
        for name in HEROES:
            yield from json.loads((self._data / f"characters/{name}.json").read_text())
        for row in rows(self._data / "characters/pokemon_multilingual.csv.gz"):
            yield from dict.fromkeys(name for column, name in row.items() if column != "id" and name)

    def _make(self) -> None:
        """Titles of made names with casts of heroes and of made names."""
        if self._missing <= 0:
            return
        titles = [draft.name for draft in self._drafts.values()]
        cast = [name for draft in self._drafts.values() for name, _ in draft.cast.values()]
        recombined = Recombined(titles + cast, self._random)
        heroes = self._heroes()
        while self._missing > 0:
            film = self._film(recombined.name(titles), self._random.randint(1920, 2026))
            if film is not None:
                for name in list(islice(heroes, CAST)) or [recombined.name(cast) for _ in range(CAST)]:
                    self._cast(film, name)


class Recombined:
    """Makes names of the words of real names."""

    def __init__(self, names: list[str], drawn: random.Random) -> None:
        self._random = drawn
        shuffled = drawn.sample(names, len(names))
        half = len(_vocabulary(shuffled[: len(names) // 2]))
        self._vocabulary = _vocabulary(shuffled)
        self._words = sorted(self._vocabulary)
        self._names = self._real = len(names)
        self._power = math.log2(len(self._words) / half)

    def name(self, names: list[str]) -> str:
        """The words of one of the names, whose last is that of another or, where one is due, a new one."""
        self._names += 1
        first, last = (self._random.choice(names).split() for _ in range(2))
        due = len(self._words) * (self._names / self._real) ** self._power
        word = self._coined() if len(self._vocabulary) < due else last[-1]
        return " ".join([*(first[:-1] or first), word])

    def _coined(self) -> str:
        one, other = (self._random.choice(self._words) for _ in range(2))
        word = one[: (len(one) + 1) // 2] + other[len(other) // 2 :]
        self._vocabulary.add(word)
        return word


def _vocabulary(names: list[str]) -> set[str]:
    return {word for name in names for word in words(name).split()}
