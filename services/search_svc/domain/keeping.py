"""What of a batch can be kept, and what cannot, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from services.search_svc.domain.entries import (
    ALIASES_MAX,
    CHARACTERS_MAX,
    NAME_LENGTH_MAX,
    OVERVIEW_LENGTH_MAX,
    PERSONA_LENGTH_MAX,
    POPULARITY_MAX,
    POPULARITY_MIN,
    TITLE_KINDS,
    Character,
    Title,
)

ID_LENGTH_MAX = 200
# NUL and halves of a character are no text to Postgres.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
YEAR_MAX = 9999


@dataclass(frozen=True, slots=True)
class Holder:
    """The title that has a character's id now; `foreign` when it is another source's."""

    title_id: str
    popularity: float
    foreign: bool


Faults = list[tuple[str, str]]


def sound(titles: Iterable[Title]) -> tuple[list[Title], Faults]:
    """The titles that can be stored, each id once (the last one counts), and what is wrong with the others."""
    kept: dict[str, Title] = {}
    faults: Faults = []
    for title in titles:
        wrong = _fault(title)
        if wrong:
            faults.append((f"titles/{title.id}", wrong))
        else:
            kept[title.id] = replace(title, characters=tuple({one.id: one for one in title.characters}.values()))
    return list(kept.values()), faults


def cast(titles: Sequence[Title], holders: Mapping[str, Holder]) -> tuple[list[tuple[str, Character]], Faults]:
    """Who is a character of which title, and who cannot be one.

    `holders` are the titles that have these characters now. Of titles of one source that claim the same character, the
    better known one has it.
    """
    replaced = {title.id for title in titles}
    claimed: dict[str, tuple[Title, Character]] = {}
    faults: Faults = []
    for title in sorted(titles, key=lambda title: (-title.popularity, title.id)):
        for one in title.characters:
            holder = holders.get(one.id)
            if holder is not None and holder.foreign:
                faults.append((f"characters/{one.id}", f"belongs to titles/{holder.title_id} of another source"))
            elif one.id not in claimed and not _stays(holder, title, replaced):
                claimed[one.id] = (title, one)
    return [(title.id, one) for title, one in claimed.values()], faults


def _stays(holder: Holder | None, title: Title, replaced: set[str]) -> bool:
    """Whether a character stays with the title that has it, instead of going to `title`."""
    if holder is None or holder.title_id in replaced:
        return False
    return (-holder.popularity, holder.title_id) < (-title.popularity, title.id)


def _fault(title: Title) -> str:
    """What is wrong with a title, empty for nothing."""
    if title.kind not in TITLE_KINDS:
        return f"is a {title.kind}, which is no kind of title"
    if not 0 <= title.year <= YEAR_MAX:
        return f"has the year {title.year}"
    if len(title.characters) > CHARACTERS_MAX:
        return f"has more than {CHARACTERS_MAX} characters"
    if len(title.overview) > OVERVIEW_LENGTH_MAX or not _storable(title.overview):
        return "has an overview that is too long or holds what is no text"
    named: tuple[Title | Character, ...] = (title, *title.characters)
    return next((wrong for one in named if (wrong := _fault_of_name(one))), "")


def _fault_of_name(one: Title | Character) -> str:
    texts = [one.id, one.name, *one.aliases]
    if isinstance(one, Character):
        texts += [one.persona, *(text for actor in one.actors for text in (actor.id, actor.name))]
        if len(one.persona) > PERSONA_LENGTH_MAX:
            return f"has a persona of more than {PERSONA_LENGTH_MAX} characters"
    if not one.id or not one.name or len(one.id) > ID_LENGTH_MAX:
        return "has no id or no name, or too long an id"
    if any(len(text) > NAME_LENGTH_MAX for text in (one.name, *one.aliases)) or len(one.aliases) > ALIASES_MAX:
        return f"has a name of more than {NAME_LENGTH_MAX} characters, or more than {ALIASES_MAX} aliases"
    if not all(_storable(text) for text in texts):
        return "holds what is no text"
    if not (isfinite(one.popularity) and POPULARITY_MIN <= one.popularity <= POPULARITY_MAX):
        return f"has a popularity that is not between {POPULARITY_MIN:.0f} and {POPULARITY_MAX:.0f}"
    return ""


def _storable(text: str) -> bool:
    return UNSTORABLE.search(text) is None


def printable(text: str, length_max: int) -> str:
    """A text that can be stored whatever stands in it, and not longer."""
    return UNSTORABLE.sub("\ufffd", text)[:length_max]
