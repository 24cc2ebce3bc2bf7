"""Where a query matched in a text, as a person would mark it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from services.search_svc.terms import APOSTROPHES, UNSEEN, UNSPACED, normal, without_article

# A text that is its own normal form but for capitals.
PLAIN = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
# In ASCII, what is neither a letter that stays nor a mark between words.
RESPELLED = re.compile(r"[&'`]")
ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
WORD = re.compile("[^ ]+")
# Stands in a word, joins with nothing, and is no letter: what is beside it keeps its own form.
GUARD = "\u0903"
HANGUL_INNER = ("\u1160", "\u11ff")
FORMS_KEPT_MAX = 10_000
# As many words as people run together or take apart by mistake.
WORDS_TOGETHER_MAX = 4


class Segment(NamedTuple):
    """A piece of a text, and whether the query matched there."""

    text: str
    matched: bool


class Span(NamedTuple):
    """A part of a text's normal form."""

    start: int
    end: int


class Folded(NamedTuple):
    """A text in its normal form, and where in the text each letter of that begins and ends.

    `openings` are places inside words where a word begins for those who write no apostrophe.
    """

    words: str
    starts: Sequence[int]
    ends: Sequence[int]
    openings: frozenset[int] = frozenset()


class Cluster(NamedTuple):
    """A character with the marks on it, where it begins and ends, and whether an apostrophe stands before it."""

    characters: str
    start: int
    end: int
    opening: bool


def segments(text: str, query: str) -> tuple[Segment, ...]:
    """The text, cut where a match begins and ends; put together, the pieces are the text. `query` is normal."""
    if not query or not text:
        return (Segment(text, matched=False),)
    folded = _folded(text)
    return tuple(_cut(text, folded, sorted(_matches(folded, query))))


def _matches(folded: Folded, query: str) -> list[Span]:
    """By the strictest reading of the query that finds anything."""
    if phrase := _beginning_with(folded, query):
        return phrase
    if (rest := without_article(query)) and (phrase := _beginning_with(folded, rest)):
        return phrase
    found = {word: _whole_or_beginning(folded, word) for word in query.split()}
    if all(found.values()):
        return [span for spans in found.values() for span in spans]
    if together := _without_spaces(folded, query):
        return together
    for word in [word for word, spans in found.items() if not spans]:
        found[word] = _without_spaces(folded, word) or _nearest(folded, word)
    if not all(found.values()) and (together := _nearest(folded, query.replace(" ", ""))):
        return together
    return [span for spans in found.values() for span in spans]


def _beginning_with(folded: Folded, words: str) -> list[Span]:
    """Where words of the text go on as the query does."""
    text, spans = folded.words, []
    at = text.find(words)
    while at >= 0:
        if at == 0 or text[at - 1] == " " or at in folded.openings or UNSPACED.match(text, at):
            spans.append(Span(at, at + len(words)))
        at = text.find(words, at + 1)
    return spans


def _whole_or_beginning(folded: Folded, word: str) -> list[Span]:
    """The words that are this one, otherwise those that begin with it."""
    beginning = _beginning_with(folded, word)
    after = f"{folded.words} "
    return [span for span in beginning if after[span.end] == " "] or beginning


def _without_spaces(folded: Folded, words: str) -> list[Span]:
    """Where the text goes on as the query does when neither has spaces."""
    places = [place for place, letter in enumerate(folded.words) if letter != " "]
    letters, wanted = folded.words.replace(" ", ""), words.replace(" ", "")
    spans = []
    at = letters.find(wanted)
    while at >= 0:
        if places[at] == 0 or folded.words[places[at] - 1] == " ":
            spans.append(Span(places[at], places[at + len(wanted) - 1] + 1))
        at = letters.find(wanted, at + 1)
    return spans


def _nearest(folded: Folded, typed: str) -> list[Span]:
    """The word, or the few words together, that a mistyped one comes nearest to; of those as near, the fewest words."""
    limit = _typos_max(typed)
    if not limit:
        return []
    words = [Span(*match.span()) for match in WORD.finditer(folded.words)]
    nearest, best = limit + 1, Span(0, 0)
    for word in words:
        if (distance := _distance_so_far(typed, folded.words[word.start : word.end], limit)) < nearest:
            nearest, best = distance, word
    for count in range(2, min(len(words), WORDS_TOGETHER_MAX) + 1):
        for first, last in zip(words, words[count - 1 :], strict=False):
            if abs(last.end - first.start - (count - 1) - len(typed)) > limit:
                continue
            together = folded.words[first.start : last.end].replace(" ", "")
            if (distance := OSA.distance(typed, together, score_cutoff=limit)) < nearest:
                nearest, best = distance, Span(first.start, last.end)
    return [best] if nearest <= limit else []


def _distance_so_far(typed: str, word: str, limit: int) -> int:
    """How many letters are wrong, when the word, or as much of it as has been typed, was meant; at most `limit` + 1."""
    if len(word) < len(typed) - limit:
        return limit + 1
    longest = min(len(word), len(typed) + limit)
    lengths = range(max(1, len(typed) - limit), longest + 1)
    return min([OSA.distance(typed, word[:length], score_cutoff=limit) for length in lengths])


def _typos_max(typed: str) -> int:
    return 0 if len(typed) < 4 else 1 if len(typed) < 6 else 2


def _cut(text: str, folded: Folded, spans: Iterable[Span]) -> Iterator[Segment]:
    """A space between two matches is a part of them."""
    matches: list[Span] = []
    reached = 0
    for first, last in spans:
        match = Span(folded.starts[first], folded.ends[last - 1])
        if matches and (match.start <= matches[-1].end or folded.words[reached:first] == " "):
            matches[-1] = Span(matches[-1].start, max(matches[-1].end, match.end))
        else:
            matches.append(match)
        reached = max(reached, last)
    place = 0
    for match in matches:
        if match.start > place:
            yield Segment(text[place : match.start], matched=False)
        yield Segment(text[match.start : match.end], matched=True)
        place = match.end
    if place < len(text):
        yield Segment(text[place:], matched=False)


def _folded(text: str) -> Folded:
    if not text.isascii() or RESPELLED.search(text):
        return _respelled(text)
    if PLAIN.fullmatch(text):
        return Folded(text.lower(), range(len(text)), range(1, len(text) + 1))
    starts: list[int] = []
    for word in ASCII_WORD.finditer(text):
        starts.extend(range(word.start(), word.end() + 1))
    return Folded(normal(text), starts, [start + 1 for start in starts])


def _respelled(text: str) -> Folded:
    """Letter by letter: one may become two, or none, and a few may become one."""
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    openings = set()
    for cluster in _clusters(text):
        if cluster.opening:
            openings.add(len(letters))
        for letter in _form(cluster.characters):
            if letter != " " or (letters and letters[-1] != " "):
                letters.append(letter)
                starts.append(cluster.start)
                ends.append(cluster.end)
    return Folded("".join(letters).rstrip(" "), starts, ends, frozenset(openings))


def _clusters(text: str) -> Iterator[Cluster]:
    """Characters with their marks, without what is not seen and the apostrophes that nobody needs to type."""
    seen = [place for place, character in enumerate(text) if not UNSEEN.match(character)]
    dropped = {match.start() for match in APOSTROPHES.finditer("".join([text[place] for place in seen]))}
    characters, start, end, opening = "", 0, 0, False
    for nth, place in enumerate(seen):
        if nth in dropped:
            continue
        if characters and not _joins(text[place]):
            yield Cluster(characters, start, end, opening)
            characters, start, opening = "", place, nth - 1 in dropped
        characters += text[place]
        end = place + 1
    yield Cluster(characters, start, end, opening)


@lru_cache(FORMS_KEPT_MAX)
def _joins(character: str) -> bool:
    """Whether it may become one letter with what stands before it: a mark, or the inside of a Hangul syllable."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first).startswith("M") or HANGUL_INNER[0] <= first <= HANGUL_INNER[1]


@lru_cache(FORMS_KEPT_MAX)
def _form(cluster: str) -> str:
    """What it becomes inside a word, spaces included."""
    return normal(f"{GUARD}{cluster}{GUARD}")[1:-1]
