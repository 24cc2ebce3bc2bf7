"""The entries of an index: titles, characters, actors, best known first."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from services.search_svc.domain.entries import Actor, Character, Kind, Title

# In the files, a kind is its place in this list.
KINDS: Final = tuple(Kind)
TITLES, CHARACTERS, ACTORS = "titles", "characters", "actors"
# An actor is a little less what people look for than the best known character.
ACTOR_SHARE = 0.9


class TEXTS(IntEnum):
    """The places of an entry's texts; actors' names follow its aliases."""

    ID = 0
    NAME = 1
    PROSE = 2  # a title's overview, a character's persona
    ALIASES = 3


class Entry(NamedTuple):
    """What can be found. `title` is the key of the title it comes from, its own where it comes from none."""

    key: tuple[str, str]
    kind: Kind
    year: int
    popularity: float
    adult: bool
    title: tuple[str, str]
    texts: tuple[str, ...]
    aliases: int


def entries(titles: Iterable[Title]) -> list[Entry]:
    """Everything that can be found in these titles, best known first."""
    found: list[Entry] = []
    actors: dict[str, tuple[Actor, float, bool]] = {}
    for title in titles:
        found.append(_title(title))
        for character in title.characters:
            found.append(_character(character, title))
            for actor in character.actors:
                _, popularity, adult = actors.get(actor.id, (actor, 0.0, True))
                actors[actor.id] = (actor, max(popularity, character.popularity), adult and title.adult)
    found += [_actor(actor, max(1.0, popularity * ACTOR_SHARE), adult) for actor, popularity, adult in actors.values()]
    return sorted(found, key=lambda entry: (-entry.popularity, entry.texts[TEXTS.NAME], entry.key))


def _title(title: Title) -> Entry:
    key = (TITLES, title.id)
    texts = (title.id, title.name, title.overview, *title.aliases)
    return Entry(key, title.kind, title.year, title.popularity, title.adult, key, texts, len(title.aliases))


def _character(one: Character, title: Title) -> Entry:
    texts = (one.id, one.name, one.persona, *one.aliases, *(actor.name for actor in one.actors))
    key = (CHARACTERS, one.id)
    origin = (TITLES, title.id)
    return Entry(key, Kind.CHARACTER, title.year, one.popularity, title.adult, origin, texts, len(one.aliases))


def _actor(actor: Actor, popularity: float, adult: bool) -> Entry:
    key = (ACTORS, actor.id)
    return Entry(key, Kind.ACTOR, 0, popularity, adult, key, (actor.id, actor.name, ""), 0)
