"""The working folder of a run of `benchmarks/search.py`: entries and queries as its processes read them."""

import csv
import json
import pickle
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.search_data import Draft, Query, words
from services.search_svc.domain.entries import Title

# The name of an entry, normal, and its popularity.
Entry = tuple[str, float]


@dataclass(frozen=True)
class Work:
    """Entries are written once as titles, for the engine of this repository, and once as names, for its peers."""

    folder: Path

    @property
    def index(self) -> Path:
        return self.folder / "1.index"

    @property
    def failures(self) -> Path:
        return self.folder / "failures.tsv"

    def write(self, drafts: Iterable[Draft], queries: list[Query], *, actors: bool) -> int:
        """Writes everything anew and says how many entries there are, actors not counted."""
        count = 0
        with (self.folder / "titles").open("wb") as titles, (self.folder / "names").open("w") as names:
            for draft in drafts:
                title = draft.title(actors=actors)
                titles.write(pickle.dumps(title))
                entries = [(title.name, title.popularity), *((one.name, one.popularity) for one in title.characters)]
                names.writelines(f"{popularity}\t{words(name)}\n" for name, popularity in entries)
                count += len(entries)
        (self.folder / "queries").write_text(json.dumps([asdict(query) for query in queries]))
        return count

    def titles(self) -> Iterator[Title]:
        with (self.folder / "titles").open("rb") as file:
            while file.peek(1):
                yield pickle.load(file)

    def names(self) -> Iterator[Entry]:
        with (self.folder / "names").open() as file:
            for line in file:
                popularity, _, name = line.rstrip("\n").partition("\t")
                yield name, float(popularity)

    def queries(self) -> list[Query]:
        return [Query(**one) for one in json.loads((self.folder / "queries").read_text())]

    def keep_failures(self, failures: Iterable[tuple[Query, list[str]]]) -> None:
        """Writes what was not found: noise, query, expected, and what was found in its stead."""
        with self.failures.open("w", newline="") as file:
            out = csv.writer(file, delimiter="\t")
            out.writerow(["noise", "query", "expected", "got"])
            out.writerows([query.noise, query.text, query.expected, " | ".join(got)] for query, got in failures)


def reading_seconds(entries: Iterable[object]) -> float:
    """How long it takes to read the entries and do nothing with them, which is no part of building an index."""
    begun = time.perf_counter()
    for _ in entries:
        pass
    return time.perf_counter() - begun
