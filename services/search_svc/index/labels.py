"""What an entry can be found by."""

from collections.abc import Iterator
from typing import NamedTuple

from services.search_svc.domain.found import Match
from services.search_svc.terms import spellings, without_article, word_starts


class Label(NamedTuple):
    """One spelling of a name, an alias or an actor's name; `text` is its place among the entry's texts."""

    words: str
    begins: Match
    later: Match
    text: int


class Start(NamedTuple):
    """A word of a label: where it begins, and how a query matches that is the beginning of it and what follows."""

    position: int
    match: Match


def labels(text: str, begins: Match, later: Match, place: int) -> Iterator[Label]:
    for words in spellings(text):
        if words:
            yield Label(words, begins, later, place)


def starts(label: Label) -> Iterator[Start]:
    """A leading article counts as if it were not there."""
    head = len(label.words) - len(without_article(label.words)) if without_article(label.words) else 0
    for position in word_starts(label.words):
        yield Start(position, label.begins if position in (0, head) else label.later)
