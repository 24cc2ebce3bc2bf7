"""Texts from elsewhere, as the catalogue takes them."""

import re
from collections.abc import Iterable

from services.search_svc.domain.entries import ALIASES_MAX, NAME_LENGTH_MAX, OVERVIEW_LENGTH_MAX
from services.search_svc.terms import normal

# Control characters, and halves of characters, which JSON can say and Postgres cannot store.
UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


def tidy(text: str | None) -> str:
    """A text in one line; empty for none."""
    return " ".join(UNPRINTABLE.sub(" ", text or "").split())


def fault_of_name(name: str) -> str:
    """Why a tidy name cannot be found by anybody, empty when it can."""
    if not normal(name):
        return "has a name without letters and digits"
    return f"has a name of more than {NAME_LENGTH_MAX} characters" if len(name) > NAME_LENGTH_MAX else ""


def aliases(name: str, others: Iterable[str | None]) -> tuple[str, ...]:
    """The other names that say something else, each once, the first of them if they are too many."""
    said = {normal(name), ""}
    kept: list[str] = []
    for other in map(tidy, others):
        words = normal(other)
        if words not in said and len(other) <= NAME_LENGTH_MAX and len(kept) < ALIASES_MAX:
            said.add(words)
            kept.append(other)
    return tuple(kept)


def overview(text: str | None) -> str:
    """What a title is about, cut after a word when it is too long."""
    told = tidy(text)
    if len(told) <= OVERVIEW_LENGTH_MAX:
        return told
    return told[:OVERVIEW_LENGTH_MAX].rsplit(" ", 1)[0][: OVERVIEW_LENGTH_MAX - 1] + "…"
