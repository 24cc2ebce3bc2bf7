"""An index out of the shipped catalogue and a few titles more, and what a servicer needs to answer from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from services.search_svc.cache import QueryCache
from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.index.build import build
from services.search_svc.index.index import Index

VERSION = 7
INDEX_VERSION = f"indexVersions/{VERSION}"
QUAGGAS = 1200

RUFUS = Character("rufus-firefly", "Rufus T. Firefly", ("Firefly",), "", 40.5, (Actor("groucho", "Groucho Marx"),))
DUCK_SOUP = Title("duck-soup", "Duck Soup", Kind.FILM, 1933, (), 50.0, (RUFUS,))
EXTRA = (
    DUCK_SOUP,
    Title("groucho-cartoon", "Groucho the Cat", Kind.CARTOON, 0, (), 10.0),
    Title("after-midnight", "Quagga After Midnight", Kind.FILM, 1978, (), 60.0, adult=True, overview="For adults."),
    *(Title(f"quagga-{n}", f"Quagga {n}", Kind.SERIES, 1900 + n % 100, (), 1.0) for n in range(QUAGGAS)),
)


@dataclass
class InService:
    """The index that answers, and what was asked."""

    index: Index
    cache: QueryCache = field(default_factory=QueryCache)
    asked: list[tuple[str, frozenset[Kind]]] = field(default_factory=list)

    def swap(self, index: Index) -> None:
        self.index = index
        self.cache.swap(index.version)

    def record(self, query: str, kinds: frozenset[Kind]) -> None:
        self.asked.append((query, kinds))


def built(titles: Iterable[Title], directory: Path, version: int) -> Index:
    path = directory / f"{version}.index"
    build(titles, path, version)
    return Index.open(path)
