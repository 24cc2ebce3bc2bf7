"""The piece of a text that shows why a search found it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SNIPPET_MAX = 160
# Characters that stand before the first match, so that it is read in its context.
LEAD_MAX = 40

# A phrase, or a word with what sticks to it; a leading minus says that it must not be there.
TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Snippet:
    """A piece of a text, and where in it the words stand that were looked for: (first character, the one after)."""

    text: str
    highlights: tuple[tuple[int, int], ...]


def is_unfinished(query: str) -> bool:
    """Whether the last word of a query may be the beginning of one."""
    terms = list(TERM.finditer(query))
    if not terms or terms[-1].group(1) or terms[-1].group(2) is not None:
        return False
    return query[-1].isalnum()


def snippet(text: str, query: str) -> Snippet:
    """About `SNIPPET_MAX` characters around the first match; the beginning of the text where no word is found."""
    matches = list(_matches(text, query))
    start = _start(text, matches[0][0] if matches else 0)
    end = _end(text, start + SNIPPET_MAX)
    return Snippet(text[start:end], tuple((a - start, b - start) for a, b in matches if start <= a and b <= end))


def _matches(text: str, query: str) -> Iterator[tuple[int, int]]:
    words = [word.casefold() for word in _words(query)]
    beginning = words[-1] if words and is_unfinished(query) else None
    whole = frozenset(words)
    for match in WORD.finditer(text):
        word = match.group().casefold()
        if word in whole or (beginning is not None and word.startswith(beginning)):
            yield match.span()


def _words(query: str) -> Iterator[str]:
    """The words that are to be there."""
    for minus, phrase, word in TERM.findall(query):
        if not minus and word.lower() != "or":
            yield from WORD.findall(phrase or word)


def _start(text: str, match: int) -> int:
    """The beginning of a word, a little before the match."""
    wanted = max(0, match - LEAD_MAX)
    if wanted == 0 or len(text) <= SNIPPET_MAX:
        return 0
    space = next((at for at in range(wanted, match) if text[at].isspace()), match - 1)
    return space + 1


def _end(text: str, wanted: int) -> int:
    """The end of a word, a little before `wanted` where there is one."""
    if wanted >= len(text):
        return len(text)
    return next((at for at in range(wanted, wanted - LEAD_MAX, -1) if text[at].isspace()), wanted)
