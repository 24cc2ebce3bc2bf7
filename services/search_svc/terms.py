"""Names and queries as words that compare equal when people would call them the same."""

import re
import unicodedata

# Marks that people leave out when they type, by canonical combining class: Hebrew and Arabic points, and the accents of
# Latin, Greek and Cyrillic. Voiced kana, nuktas and viramas have other classes: without them it is another word.
DROPPED_MARKS = (*range(10, 37), *range(200, 256))

# Letters that have no decomposition, as they are typed on a keyboard without them.
LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"})

# Marks inside a word, in their typographic forms too.
APOSTROPHES = re.compile(r"(?<=\w)['`\u2019\u02bc\u00b4](?=\w)")
INNER_MARKS = re.compile(r"(?<=\w)[-.·/'`\u2010\u2011\u2019\u02bc\u00b4](?=\w)")
# Characters that only say how their neighbours are drawn: soft hyphens, joiners, directions, variation selectors.
UNSEEN = re.compile(r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")
ASCII_MARKS = re.compile(r"[-./'`]")
ARTICLES = frozenset({"the", "a", "an"})

# What is left of ASCII when letters and digits are all that counts.
ASCII = {code: " " for code in range(128) if not chr(code).isalnum()} | {ord("&"): " and "}

# Scripts that write no spaces between words: any character may begin one.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
WORD_START = re.compile(rf"(?<![^ ])[^ ]|{UNSPACED.pattern}")


def normal(text: str) -> str:
    """The words of a text with a space between them, without case, accents and punctuation: `schindlers list`."""
    return _words(APOSTROPHES.sub("", UNSEEN.sub("", text)))


def spellings(name: str) -> tuple[str, ...]:
    """Every way that a name may be typed, the usual one first: `Spider-Man` is `spider man` and `spiderman`."""
    if name.isascii() and not ASCII_MARKS.search(name):
        return (_words(name),)
    seen = UNSEEN.sub("", name)
    return tuple(dict.fromkeys([normal(seen), _words(INNER_MARKS.sub("", seen)), _words(seen)]))


def word_starts(spelling: str) -> list[int]:
    """Where words begin in a normal text."""
    if spelling.isascii():
        return [0, *(place + 1 for place, letter in enumerate(spelling) if letter == " ")]
    return [match.start() for match in WORD_START.finditer(spelling)]


def without_article(words: str) -> str:
    """The words after a leading English article; empty when there is no article, or nothing after it."""
    first, _, rest = words.partition(" ")
    return rest if first in ARTICLES else ""


def _words(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().translate(ASCII).split())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold())
    kept = "".join(character for character in folded if unicodedata.combining(character) not in DROPPED_MARKS)
    composed = unicodedata.normalize("NFC", kept.translate(LETTERS))
    return " ".join("".join(character if _in_word(character) else " " for character in composed).split())


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
