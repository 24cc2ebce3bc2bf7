"""Titles as the catalogue has them, made of what Jikan answers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.search_svc.domain.entries import (
    ACTORS_MAX,
    CHARACTERS_MAX,
    NAME_LENGTH_MAX,
    YEAR_UNKNOWN,
    Actor,
    Character,
    Kind,
    Title,
)
from services.search_svc.sources import popularity, texts
from services.search_svc.sources.jikan.shapes import Anime, Appearance, VoiceActor
from services.search_svc.terms import normal

# Ratings begin so: `Rx - Hentai`.
ADULT_RATING = "Rx"
ADULT_GENRE = "Hentai"
YEAR = re.compile(r"\d{4}(?=-)")


def title(anime: Anime, cast: Iterable[Appearance]) -> tuple[Title | None, list[str]]:
    """A title, None when it has no name that could be found, and what of it could not be used."""
    names = [*(one.title for one in anime.titles if one.type == "English"), anime.title]
    name = texts.tidy(anime.title_english) or texts.tidy(names[0]) or texts.tidy(anime.title)
    if wrong := texts.fault_of_name(name):
        return None, [wrong]
    known = popularity.of_members(anime.members or 0)
    characters, faults = _characters(cast, known)
    others = [anime.title, anime.title_japanese, *(one.title for one in anime.titles), *anime.title_synonyms]
    made = Title(
        id=f"mal-anime-{anime.mal_id}",
        name=name,
        kind=Kind.ANIME,
        year=_year(anime),
        aliases=texts.aliases(name, others),
        popularity=known,
        characters=characters,
        adult=_adult(anime),
        overview=texts.overview(anime.synopsis),
    )
    return made, faults


def _characters(cast: Iterable[Appearance], known: float) -> tuple[tuple[Character, ...], list[str]]:
    """The main ones first, of these those that most people call a favourite."""
    characters: dict[int, Character] = {}
    faults: list[str] = []
    for one in sorted(cast, key=lambda one: (one.role != "Main", -one.favorites, one.character.mal_id)):
        number = one.character.mal_id
        name, told = _first_name_first(one.character.name)
        if wrong := texts.fault_of_name(name):
            faults.append(f"the character “{name[:50]}” {wrong}")
        elif number not in characters and len(characters) < CHARACTERS_MAX:
            characters[number] = Character(
                id=f"mal-character-{number}",
                name=name,
                aliases=texts.aliases(name, [told]),
                persona="",
                popularity=popularity.of_billing(known, len(characters)),
                actors=_actors(one.voice_actors),
            )
    return tuple(characters.values()), faults


def _actors(voices: Iterable[VoiceActor]) -> tuple[Actor, ...]:
    """Those who speak Japanese first."""
    actors: dict[int, Actor] = {}
    for voice in sorted(voices, key=lambda voice: voice.language != "Japanese"):
        name, _ = _first_name_first(voice.person.name)
        if normal(name):
            number = voice.person.mal_id
            actors.setdefault(number, Actor(f"mal-person-{number}", name[:NAME_LENGTH_MAX]))
    return tuple(actors.values())[:ACTORS_MAX]


def _first_name_first(name: str) -> tuple[str, str]:
    """`Elric, Edward` as `Edward Elric`, and as the family name comes first in Japan: `Elric Edward`."""
    parts = [part for part in texts.tidy(name).split(", ") if part]
    return " ".join(reversed(parts)) if len(parts) == 2 else texts.tidy(name), " ".join(parts)


def _adult(anime: Anime) -> bool:
    genres = [*anime.genres, *anime.explicit_genres]
    return (anime.rating or "").startswith(ADULT_RATING) or any(genre.name == ADULT_GENRE for genre in genres)


def _year(anime: Anime) -> int:
    year = anime.year or anime.aired.prop.begin.year
    if year:
        return year
    found = YEAR.match(anime.aired.begin or "")
    return int(found.group()) if found else YEAR_UNKNOWN
