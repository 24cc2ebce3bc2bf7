"""The name that a model sets before what its character says, as in a script: it is no part of the answer.

`Sherlock Holmes: …`, `**Sherlock:** …` and the like lose the name at the very beginning of a text. Whether it is one is
known after a few characters more than the name has, and no more than that is ever held back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.chat_svc.domain.group import COMMON_WORDS, WORD_LETTERS_MIN
from services.chat_svc.domain.scene import Persona
from services.chat_svc.domain.wording import labels, line

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")  # noqa: RUF001 (an apostrophe, as it is printed)
COLONS = ":\uff1a"
# What a model sets a name in, as much on one side as on the other.
MARKS = "*_"
MARKS_MAX = 3
# White space before the name, between it and its colon, and behind that.
SPACES_BEFORE_MAX, SPACES_BETWEEN_MAX, SPACES_BEHIND_MAX = 2, 1, 4


def own_names(speaker: Persona, cast: Sequence[Persona]) -> tuple[str, ...]:
    """What the speaker is called: the whole name, and each word of it that no other of the cast is called by."""
    others = {word.lower() for one in cast if one.character != speaker.character for word in _words(one)}
    whole = (line(speaker.display_name), labels(cast).get(speaker.character, ""))
    telling = (word for word in _words(speaker) if word.lower() not in others | COMMON_WORDS)
    names = [*whole, *(word for word in telling if len(word) >= WORD_LETTERS_MIN)]
    return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class Step:
    """So many characters of one kind, one after another."""

    fits: Callable[[str], bool]
    least: int = 1
    most: int = 1


class Unnamed:
    """One text as it comes, without its speaker's name at its beginning; no names, and it stays as it is."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.dropped = ""
        self._names = names
        self._held = ""
        self._begins = bool(names)

    def shown(self, piece: str) -> str:
        """What is to be shown once this piece has come; empty while it may still be the name."""
        if not self._begins:
            return piece
        self._held += piece
        end = _end_of_name(self._held, self._names)
        if end is None:
            return ""
        self._begins = False
        self.dropped = self._held[:end]
        return self.rest()[end:]

    def rest(self) -> str:
        """What was held back: a text that is no more than the name stays."""
        held, self._held = self._held, ""
        return held


def _words(one: Persona) -> list[str]:
    return WORD.findall(line(one.display_name))


def _end_of_name(text: str, names: Sequence[str]) -> int | None:
    """Where the text begins behind the name, 0 where it does not begin with it; None while that is not known."""
    begin = _run(text, 0, str.isspace, SPACES_BEFORE_MAX)
    place = _run(text, begin, MARKS.__contains__, MARKS_MAX)
    if place == len(text):
        return None
    ends = [_walked(text, place, steps) for name in names for steps in _forms(name, text[begin:place])]
    return next((end for end in ends if end), None if None in ends else 0)


def _forms(name: str, marks: str) -> Iterator[list[Step]]:
    """What may stand behind the marks that open: the name, its colon, and between or behind them the marks again."""
    called, closing = [_one(letter) for letter in name], [_one(mark) for mark in reversed(marks)]
    colon = [Step(str.isspace, 0, SPACES_BETWEEN_MAX), Step(COLONS.__contains__)]
    behind = Step(str.isspace, 0, SPACES_BEHIND_MAX)
    yield [*called, *closing, *colon, behind]
    if marks:
        yield [*called, *colon, *closing, behind]


def _one(letter: str) -> Step:
    return Step(lambda one: one.lower() == letter.lower())


def _walked(text: str, place: int, steps: Sequence[Step]) -> int | None:
    """Where the text goes on behind the steps, 0 where it takes others; None where it ends on the way."""
    for step in steps:
        begin, place = place, _run(text, place, step.fits, step.most)
        if place == len(text):
            return None
        if place - begin < step.least:
            return 0
    return 0 if text[place].isspace() else place


def _run(text: str, place: int, fits: Callable[[str], bool], most: int) -> int:
    """Behind as many characters that fit, at most so many."""
    end = min(len(text), place + most)
    while place < end and fits(text[place]):
        place += 1
    return place
