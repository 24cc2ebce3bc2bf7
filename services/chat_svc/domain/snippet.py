"""The piece of a text that shows why a search found it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, takewhile

from services.chat_svc.domain.script import PIECE, RUN, TERM

SNIPPET_MAX = 160
# Characters that stand before the first match, so that it is read in its context.
LEAD_MAX = 40


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
    matches = _matches(text, query)
    first = list(islice(matches, 1))
    start = _start(text, first[0][0] if first else 0)
    end = _end(text, start + SNIPPET_MAX)
    # The text behind the piece is not read: it may be long, and match everywhere.
    near = takewhile(lambda span: span[0] < end, chain(first, matches))
    return Snippet(text[start:end], tuple((a - start, b - start) for a, b in near if b <= end))


def _matches(text: str, query: str) -> Iterator[tuple[int, int]]:
    pieces = [piece.casefold() for piece in _pieces(query)]
    beginning = pieces[-1] if pieces and is_unfinished(query) else None
    whole = frozenset(pieces)
    # Where one run begins with another, the longer one stands out.
    runs = sorted((piece for piece in whole if RUN.match(piece)), key=len, reverse=True)
    parts = re.compile("|".join(map(re.escape, runs))) if runs else None
    for match in PIECE.finditer(text):
        word = match.group().casefold()
        if RUN.match(word):
            yield from (part.span() for part in parts.finditer(text, *match.span())) if parts else ()
        elif word in whole or (beginning is not None and word.startswith(beginning)):
            yield match.span()


def _pieces(query: str) -> Iterator[str]:
    """The words that are to be there, and the runs without spaces, which may be parts of others."""
    for minus, phrase, word in TERM.findall(query):
        if not minus and word.lower() != "or":
            yield from PIECE.findall(phrase or word)


def _start(text: str, match: int) -> int:
    """The beginning of a word, a little before the match; without spaces, a character is as good."""
    wanted = max(0, match - LEAD_MAX)
    if wanted == 0 or len(text) <= SNIPPET_MAX:
        return 0
    for at in range(wanted, match):
        if text[at].isspace():
            return at + 1
        if RUN.match(text[at]):
            return at
    return match


def _end(text: str, wanted: int) -> int:
    """The end of a word, a little before `wanted` where there is one."""
    if wanted >= len(text):
        return len(text)
    return next((at for at in range(wanted, wanted - LEAD_MAX, -1) if text[at].isspace()), wanted)
