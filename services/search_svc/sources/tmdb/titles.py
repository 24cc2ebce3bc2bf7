"""Titles as the catalogue has them, made of what TMDB answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
from services.search_svc.sources.tmdb.medium import Medium
from services.search_svc.sources.tmdb.roles import Called, called
from services.search_svc.sources.tmdb.shapes import Details, Member, Role
from services.search_svc.terms import normal

ANIMATION = 16
JAPANESE = "ja"
CREDIT_ID = re.compile(r"[0-9a-f]{1,64}")
YEAR = re.compile(r"(1[89]|2\d)\d\d(?=-|$)")
LAST = 1_000_000


@dataclass(slots=True)
class _Draft:
    """A character, as far as its credits have been seen."""

    name: str
    credit_ids: set[str] = field(default_factory=set)
    aliases: list[str] = field(default_factory=list)
    actors: dict[str, Actor] = field(default_factory=dict)


def title(medium: Medium, number: int, details: Details) -> tuple[Title | None, list[str]]:
    """A title, None when it has no name that could be found, and what of it could not be used."""
    name = texts.tidy(details.name)
    if wrong := texts.fault_of_name(name):
        return None, [wrong]
    known = popularity.of_tmdb(details.popularity)
    characters, faults = _characters(details.credits.cast, known)
    others = [details.original_name, *(one.title for one in details.alternative_titles.titles)]
    made = Title(
        id=medium.title_id(number),
        name=name,
        kind=_kind(medium, details),
        year=_year(details.released),
        aliases=texts.aliases(name, others),
        popularity=known,
        characters=characters,
        adult=details.adult,
        overview=texts.overview(details.overview),
    )
    return made, faults


def _characters(cast: Sequence[Member], known: float) -> tuple[tuple[Character, ...], list[str]]:
    """By billing order, each once, however many have played it: its id is that of its oldest credit, which stays."""
    drafts: dict[str, _Draft] = {}
    faults: list[str] = []
    for member, role, who in _credited(cast):
        key = normal(who.name)
        credit_id = (role.credit_id or "").lower()
        if wrong := texts.fault_of_name(who.name):
            faults.append(f"the character “{who.name[:50]}” {wrong}")
        elif not CREDIT_ID.fullmatch(credit_id):
            faults.append(f"the character “{who.name}” has a credit without an id")
        elif key in drafts or len(drafts) < CHARACTERS_MAX:
            draft = drafts.setdefault(key, _Draft(who.name))
            draft.credit_ids.add(credit_id)
            draft.aliases += who.aliases
            if actor := texts.tidy(member.name)[:NAME_LENGTH_MAX]:
                draft.actors.setdefault(f"tmdb-person-{member.id}", Actor(f"tmdb-person-{member.id}", actor))
    return tuple(_character(draft, known, place) for place, draft in enumerate(drafts.values())), faults


def _credited(cast: Sequence[Member]) -> Iterator[tuple[Member, Role, Called]]:
    for member in sorted(cast, key=lambda one: LAST if one.order is None else one.order):
        for role in member.roles or [member]:
            who = called(role.character)
            if who is not None:
                yield member, role, who


def _character(draft: _Draft, known: float, place: int) -> Character:
    return Character(
        id=f"tmdb-{min(draft.credit_ids)}",
        name=draft.name,
        aliases=texts.aliases(draft.name, draft.aliases),
        persona="",
        popularity=popularity.of_billing(known, place),
        actors=tuple(draft.actors.values())[:ACTORS_MAX],
    )


def _kind(medium: Medium, details: Details) -> Kind:
    if any(genre.id == ANIMATION for genre in details.genres):
        return Kind.ANIME if details.original_language == JAPANESE else Kind.CARTOON
    return Kind.FILM if medium is Medium.MOVIE else Kind.SERIES


def _year(released: str | None) -> int:
    found = YEAR.match(released or "")
    return int(found.group()) if found else YEAR_UNKNOWN
