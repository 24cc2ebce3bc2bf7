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
ARTICLES = frozenset({"the", "a", "an"})

# Scripts that write no spaces between words: any character may begin one.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
WORD_START = re.compile(rf"(?<![^ ])[^ ]|{UNSPACED.pattern}")


def normal(text: str) -> str:
    """The words of a text with a space between them, without case, accents and punctuation: `schindlers list`."""
    return _words(APOSTROPHES.sub("", text))


def spellings(name: str) -> tuple[str, ...]:
    """Every way that a name may be typed, the usual one first: `Spider-Man` is `spider man` and `spiderman`."""
    return tuple(dict.fromkeys([normal(name), _words(INNER_MARKS.sub("", name)), _words(name)]))


def word_starts(spelling: str) -> list[int]:
    """Where words begin in a normal text."""
    return [match.start() for match in WORD_START.finditer(spelling)]


def without_article(words: str) -> str:
    """The words after a leading English article; empty when there is no article, or nothing after it."""
    first, _, rest = words.partition(" ")
    return rest if first in ARTICLES else ""


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold())
    kept = "".join(character for character in folded if unicodedata.combining(character) not in DROPPED_MARKS)
    composed = unicodedata.normalize("NFC", kept.translate(LETTERS))
    return " ".join("".join(character if _in_word(character) else " " for character in composed).split())


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
