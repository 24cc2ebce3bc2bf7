"""The index: what a query may mean, best first.

An immutable value in memory. Every name and alias is a sorted list of keys, one from each of its words on, so that a
query is one bisection; prefixes that very many keys share are ranked beforehand, so that one letter costs no more than
ten. A query whose words stand in a name in another order or with gaps is found through the words themselves.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from enum import IntEnum
from itertools import chain
from typing import NamedTuple

from services.search_svc.domain import Catalogue, Document, Kind, Suggestion
from services.search_svc.terms import normal, spellings, without_article, word_starts

SUGGESTIONS_MAX = 50
# A prefix that more keys share than this is ranked when the index is built.
KEYS_UNRANKED_MAX = 200
# A last word that so many words of the catalogue go on from is worth an intersection.
WORDS_UNITED_MAX = 200
LAST_CHARACTER = "\U0010ffff"


class Quality(IntEnum):
    """How well a query matches, best first."""

    EXACT_NAME = 0
    EXACT_ALIAS = 1
    NAME_PREFIX = 2
    ALIAS_PREFIX = 3
    LATER_WORD_OF_NAME = 4
    LATER_WORD_OF_ALIAS = 5


EXACT = {Quality.NAME_PREFIX: Quality.EXACT_NAME, Quality.ALIAS_PREFIX: Quality.EXACT_ALIAS}


class Hit(NamedTuple):
    """A match; hits sort as they rank, because documents are numbered by their rank."""

    quality: Quality
    document: int
    alias: int  # 0 is the name


class Label(NamedTuple):
    """One spelling of a name or an alias."""

    words: str
    document: int
    alias: int


class Keys:
    """Keys with their hits, found by prefix."""

    def __init__(self, rows: Iterable[tuple[str, Hit]]) -> None:
        ordered = sorted(set(rows))
        self._keys = [key for key, _ in ordered]
        self._hits = [hit for _, hit in ordered]

    def __len__(self) -> int:
        return len(self._keys)

    def range(self, prefix: str) -> tuple[int, int]:
        return bisect_left(self._keys, prefix), bisect_left(self._keys, prefix + LAST_CHARACTER)

    def hits(self, prefix: str) -> Iterator[Hit]:
        """Every hit, unranked; a document may come several times."""
        start, end = self.range(prefix)
        for key, hit in zip(self._keys[start:end], self._hits[start:end], strict=True):
            yield Hit(EXACT.get(hit.quality, hit.quality), hit.document, hit.alias) if key == prefix else hit

    def crowded(self, keys_max: int) -> Iterator[str]:
        """The prefixes that more than `keys_max` keys share."""
        open_prefixes = [""]
        while open_prefixes:
            prefix = open_prefixes.pop()
            start, end = self.range(prefix)
            if end - start <= keys_max:
                continue
            if prefix:
                yield prefix
            length = len(prefix) + 1
            open_prefixes += {key[:length] for key in self._keys[start:end] if len(key) >= length}


class Index:
    """Suggestions out of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._documents = _documents(catalogue)
        labels = [label for number, document in enumerate(self._documents) for label in _labels(number, document)]
        self._phrases = Keys(row for label in labels for row in _phrases(label))
        # People leave spaces out (`starwars`): whole names without any.
        self._joined = Keys((label.words.replace(" ", ""), _hit(label)) for label in labels if " " in label.words)
        self._labels = labels
        self._label_words = [label.words.split() for label in labels]
        self._labels_by_word = _labels_by_word(self._label_words)
        self._words = sorted(self._labels_by_word)
        self._ranked = {prefix: self._by_kind(prefix) for prefix in self._phrases.crowded(KEYS_UNRANKED_MAX)}

    def __len__(self) -> int:
        """How many titles and characters can be found."""
        return len(self._documents)

    def suggest(self, query: str, kinds: Collection[Kind] = (), limit: int = SUGGESTIONS_MAX) -> tuple[Suggestion, ...]:
        """At most `limit` suggestions (50 at most) of these kinds (none: all), best first. Nothing stands twice."""
        words = normal(query)
        if not words:
            return ()
        found: dict[int, Hit] = {}
        for ranked in self._passes(words, frozenset(kinds or Kind)):
            for hit in ranked:
                found.setdefault(hit.document, hit)
            if len(found) >= limit:
                break
        return tuple(self._suggestion(hit) for hit in list(found.values())[: min(limit, SUGGESTIONS_MAX)])

    def _passes(self, words: str, kinds: frozenset[Kind]) -> Iterator[list[Hit]]:
        """Ever looser readings of the query; what a stricter one finds ranks above."""
        yield self._phrase(words, kinds)
        yield self._best(self._scattered(words.split()), kinds)
        if rest := without_article(words):
            yield self._phrase(rest, kinds)
        yield self._best(sorted(self._joined.hits(words.replace(" ", ""))), kinds)

    def _phrase(self, words: str, kinds: frozenset[Kind]) -> list[Hit]:
        """The query as it stands: the beginning of a name, or of a later word and what follows it."""
        if (ranked := self._ranked.get(words)) is None:
            return self._best(sorted(self._phrases.hits(words)), kinds)
        return sorted(chain.from_iterable(ranked[kind] for kind in kinds))[:SUGGESTIONS_MAX]

    def _scattered(self, words: list[str]) -> Iterator[Hit]:
        """Names that have every word of the query, the last one as a prefix, in any order; best known first."""
        *whole, last = words
        if not whole:
            return
        postings = sorted((self._labels_by_word.get(word, frozenset()) for word in whole), key=len)
        candidates = postings[0].intersection(*postings[1:], *self._beginning(last))
        for number in sorted(candidates):  # labels are in the order of their documents
            if any(word.startswith(last) for word in self._label_words[number]):
                yield _hit(self._labels[number])

    def _beginning(self, prefix: str) -> Iterator[frozenset[int]]:
        """The labels that have a word with this prefix; nothing where it is cheaper to look at the candidates."""
        start, end = bisect_left(self._words, prefix), bisect_left(self._words, prefix + LAST_CHARACTER)
        if end - start <= WORDS_UNITED_MAX:
            yield frozenset().union(*(self._labels_by_word[word] for word in self._words[start:end]))

    def _by_kind(self, prefix: str) -> dict[Kind, list[Hit]]:
        hits = sorted(self._phrases.hits(prefix))
        return {kind: self._best(hits, frozenset({kind})) for kind in Kind}

    def _best(self, ranked: Iterable[Hit], kinds: frozenset[Kind]) -> list[Hit]:
        """The first hit on each document of these kinds."""
        best: dict[int, Hit] = {}
        for hit in ranked:
            if hit.document not in best and self._documents[hit.document].kind in kinds:
                best[hit.document] = hit
                if len(best) == SUGGESTIONS_MAX:
                    break
        return list(best.values())

    def _suggestion(self, hit: Hit) -> Suggestion:
        document = self._documents[hit.document]
        return Suggestion(document, document.entry.aliases[hit.alias - 1] if hit.alias else "")


def _documents(catalogue: Catalogue) -> list[Document]:
    titles = [Document(title, title) for title in catalogue]
    characters = [Document(character, title) for title in catalogue for character in title.characters]
    return sorted(titles + characters, key=lambda document: document.rank)


def _labels(number: int, document: Document) -> Iterator[Label]:
    for alias, name in enumerate((document.entry.name, *document.entry.aliases)):
        for words in spellings(name):
            if words:
                yield Label(words, number, alias)


def _phrases(label: Label) -> Iterator[tuple[str, Hit]]:
    """A key from each word on. A leading article counts as if it were not there."""
    head = len(label.words) - len(without_article(label.words))
    for start in word_starts(label.words):
        later = start not in (0, head)
        yield label.words[start:], _hit(label, later=later)


def _hit(label: Label, *, later: bool = False) -> Hit:
    match (bool(label.alias), later):
        case (False, False):
            quality = Quality.NAME_PREFIX
        case (True, False):
            quality = Quality.ALIAS_PREFIX
        case (False, True):
            quality = Quality.LATER_WORD_OF_NAME
        case _:
            quality = Quality.LATER_WORD_OF_ALIAS
    return Hit(quality, label.document, label.alias)


def _labels_by_word(label_words: list[list[str]]) -> dict[str, frozenset[int]]:
    postings: defaultdict[str, set[int]] = defaultdict(set)
    for number, words in enumerate(label_words):
        for word in words:
            postings[word].add(number)
    return {word: frozenset(numbers) for word, numbers in postings.items()}
