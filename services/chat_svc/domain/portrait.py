"""Portraits: what was fetched about a character, as far as it can be used."""

import re
import unicodedata
from collections.abc import Iterable

CHARACTERS_MAX = 1_500


def portrait(texts: Iterable[str]) -> str:
    """The texts as one line, cut at a word: they are told to models as a description, and must not look like more."""
    line = " ".join(_printable(" ".join(texts)).split())
    if len(line) <= CHARACTERS_MAX:
        return line
    return line[:CHARACTERS_MAX].rsplit(" ", 1)[0] + " …"


def alike(name: str, other: str) -> bool:
    """Whether two names are the same but for case, accents and punctuation."""
    return _plain(name) == _plain(other) != ""


def mentions(text: str, name: str) -> bool:
    """Whether a text has a name in it, as whole words."""
    return f" {_plain(name)} " in f" {_plain(text)} " and _plain(name) != ""


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(one for one in letters if not unicodedata.combining(one))))


def _printable(text: str) -> str:
    return "".join(one if unicodedata.category(one)[0] != "C" else " " for one in text)
