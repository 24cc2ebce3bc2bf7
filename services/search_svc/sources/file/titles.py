"""Titles as the catalogue has them, made of the rows of a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.search_svc.domain.entries import (
    ACTORS_MAX,
    ALIASES_MAX,
    CHARACTERS_MAX,
    POPULARITY_MIN,
    Actor,
    Character,
    Title,
)
from services.search_svc.sources.file.rows import CharacterRow, TitleRow
from services.search_svc.sources.file.slugs import digest, slug
from services.search_svc.terms import normal

# How much less known a character is than the one before it, where the file does not say.
FALL = 0.97


@dataclass(slots=True)
class _Draft:
    """A character, as far as its rows have been seen: one row for each of its actors is usual."""

    id: str
    name: str
    aliases: dict[str, None] = field(default_factory=dict)
    actors: dict[str, None] = field(default_factory=dict)
    persona: str = ""
    popularity: float | None = None

    def add(self, row: CharacterRow) -> None:
        self.aliases |= dict.fromkeys(alias for alias in (row.name, *row.aliases) if alias != self.name)
        self.actors |= dict.fromkeys(row.actors)
        self.persona = self.persona or row.persona
        self.popularity = max((one for one in (self.popularity, row.popularity) if one is not None), default=None)


def title(collection: str, own: str, row: TitleRow, characters: Iterable[CharacterRow]) -> tuple[Title, bool]:
    """A title with its characters, and whether it has more of them than it may.

    Rows with the same id, or without one with the same name, are one character.
    """
    drafts: dict[str, _Draft] = {}
    surplus = False
    for character in characters:
        # No id has a space before it, no name is empty.
        key = f" {slug(character.id)}" if character.id else normal(character.name)
        if key in drafts or len(drafts) < CHARACTERS_MAX:
            drafts.setdefault(key, _Draft(character.id, character.name)).add(character)
        else:
            surplus = True
    made = Title(
        id=f"{collection}-{own}",
        name=row.name,
        kind=row.kind,
        year=row.year,
        aliases=tuple(alias for alias in row.aliases if alias != row.name),
        popularity=row.popularity,
        characters=tuple(
            _character(collection, digest(own, key), draft, max(POPULARITY_MIN, row.popularity * FALL**place))
            for place, (key, draft) in enumerate(drafts.items())
        ),
        adult=row.adult,
        overview=row.overview,
    )
    return made, surplus


def _character(collection: str, unique: str, draft: _Draft, popularity: float) -> Character:
    return Character(
        # Many titles have a character of this name or number; the digest says in which title this one is.
        id=f"{collection}-{slug(draft.id or draft.name)}-{unique}",
        name=draft.name,
        aliases=tuple(draft.aliases)[:ALIASES_MAX],
        persona=draft.persona,
        popularity=popularity if draft.popularity is None else draft.popularity,
        actors=tuple(Actor(f"{collection}-{slug(actor)}", actor) for actor in draft.actors)[:ACTORS_MAX],
    )
