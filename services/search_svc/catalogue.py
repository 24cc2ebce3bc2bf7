"""The catalogue that ships with the service: authored TOML files, every fault in them named at once."""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.search_svc.domain.entries import Character, Kind, Title
from services.search_svc.terms import normal

SHIPPED = Path(__file__).with_name("catalogue")

# A sentence ends, and another one begins. Initials and the titles of persons have a period inside of one.
SENTENCE_END = r"[.!?…][\"'\u201d\u2019)]*"
LAST_SENTENCE = re.compile(rf"{SENTENCE_END}$")
SECOND_SENTENCE = re.compile(
    rf"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|Jr))(?<!\bMrs){SENTENCE_END} +[\"'\u201c\u2018(]*[A-Z]"
)


class CatalogueError(ValueError):
    """Faults in the shipped files, one a line."""


@dataclass(frozen=True)
class Source:
    """One shipped file: its name, the digest of its bytes, its titles."""

    name: str
    sha256: bytes
    titles: tuple[Title, ...]


def load(directory: Path) -> tuple[Source, ...]:
    """Every TOML file of a directory. CatalogueError names every fault in any of them."""
    files = sorted(directory.glob("*.toml"))
    faults: list[str] = [] if files else [f"{directory}: there is no catalogue"]
    sources = []
    for file in files:
        try:
            sources.append(_source(file))
        except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults += _faults(file, error)
    faults += _repetitions(sources)
    if faults:
        raise CatalogueError("\n".join(f"catalogue: {fault}" for fault in faults))
    return tuple(sources)


def _searchable(name: str) -> str:
    if not normal(name):
        raise ValueError("has no letter or digit to be found by")
    return name


def _one_sentence(persona: str) -> str:
    if not LAST_SENTENCE.search(persona):
        raise ValueError("does not end as a sentence does")
    if SECOND_SENTENCE.search(persona):
        raise ValueError("is more than one sentence")
    return persona


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_searchable)]
Aliases = Annotated[list[Name], Field(max_length=20)]
Popularity = Annotated[int, Field(ge=1, le=100)]
Persona = Annotated[str, StringConstraints(min_length=20, max_length=400), AfterValidator(_one_sentence)]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CharacterEntry(Entry):
    id: Slug
    name: Name
    aliases: Aliases = []
    persona: Persona
    popularity: Popularity


class TitleEntry(Entry):
    id: Slug
    name: Name
    kind: Literal["film", "series", "anime", "cartoon"]
    year: int = Field(ge=1880, le=2100)
    aliases: Aliases = []
    popularity: Popularity
    character: list[CharacterEntry] = Field([], max_length=100)


class CatalogueFile(Entry):
    title: list[TitleEntry]


def _source(file: Path) -> Source:
    content = file.read_bytes()
    entries = CatalogueFile.model_validate(tomllib.loads(content.decode())).title
    return Source(file.name, hashlib.sha256(content).digest(), tuple(_title(entry) for entry in entries))


def _title(entry: TitleEntry) -> Title:
    return Title(
        id=entry.id,
        name=entry.name,
        kind=Kind(entry.kind),
        year=entry.year,
        aliases=tuple(entry.aliases),
        popularity=entry.popularity,
        characters=tuple(_character(character) for character in entry.character),
    )


def _character(entry: CharacterEntry) -> Character:
    return Character(entry.id, entry.name, tuple(entry.aliases), entry.persona, entry.popularity)


def _faults(file: Path, error: ValueError) -> Iterator[str]:
    if not isinstance(error, ValidationError):
        yield f"{file.name}: {error}"
        return
    for fault in error.errors():
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
        yield f"{file.name}: {place}: {fault['msg']}, not {str(fault['input'])[:80]!r}"


def _repetitions(sources: Sequence[Source]) -> Iterator[str]:
    titles = [title for source in sources for title in source.titles]
    characters = [character for title in titles for character in title.characters]
    for collection, entries in (("titles", titles), ("characters", characters)):
        for entry_id, count in Counter(entry.id for entry in entries).items():
            if count > 1:
                yield f"{collection}/{entry_id} stands {count} times"
    everything: list[Title | Character] = [*titles, *characters]
    for entry in everything:
        for alias, count in Counter(entry.aliases).items():
            if count > 1:
                yield f"{entry.id}: the alias {alias!r} stands {count} times"
