"""An opened index: answers queries, gives titles and characters."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np

from runtime.errors import NotFound
from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.domain.found import HITS_MAX, Filter, Found, Hit, Match, Score
from services.search_svc.domain.version import Counts
from services.search_svc.index import artifact
from services.search_svc.index.arrays import I64, Bools, Numbers
from services.search_svc.index.artifact import Artifact
from services.search_svc.index.candidates import Candidates
from services.search_svc.index.entries import ACTORS, CHARACTERS, KINDS, TEXTS, TITLES
from services.search_svc.index.phrases import Phrases
from services.search_svc.index.points import MATCH_POINTS, MATCHES, POPULARITY_POINTS, TYPO_POINTS
from services.search_svc.index.ragged import unique
from services.search_svc.index.strings import Strings
from services.search_svc.index.words import WORDS_MAX, Meant, Words
from services.search_svc.terms import normal, without_article

# With fewer entries than this as they were typed, looser readings of the query are tried.
FEW = 10

COLLECTIONS = {Kind.CHARACTER: CHARACTERS, Kind.ACTOR: ACTORS}

YEAR_MAX = 9999
ACTOR = KINDS.index(Kind.ACTOR)
# A rule is tried on so many entries at a time.
PIECE_ENTRIES = 4096

Tried: TypeAlias = Callable[[Numbers], Bools]
Rule: TypeAlias = Tried | None


class Index:
    """Immutable; several threads may use it at once."""

    def __init__(self, opened: Artifact) -> None:
        arrays = opened.arrays
        self.version: int = opened.head["version"]
        self.counts = Counts(*opened.head["counts"])
        self.checksum = opened.checksum
        self._texts = Strings(arrays["text_blob"], arrays["text_offset"])
        self._first_text = arrays["entry_text"].data
        self._aliases = arrays["entry_aliases"].data
        self._kind = arrays["entry_kind"]
        self._year = arrays["entry_year"]
        self._adult = arrays["entry_adult"].view(np.bool_)
        self._popularity = arrays["entry_popularity"]
        self._title = arrays["entry_title"].data
        self._characters = arrays["characters"]
        self._characters_of = arrays["characters_of"].data
        self._by_id = arrays["by_id"].data
        self._label_entry = arrays["label_entry"]
        self._label_text = arrays["label_text"].data
        # One value of a view is read faster than one of an array.
        self._kind_of, self._year_of = self._kind.data, self._year.data
        self._popularity_of, self._entry_of = self._popularity.data, self._label_entry.data
        self._fame = (POPULARITY_POINTS * self._popularity).astype(np.float32)
        self._any_adult = bool(self._adult.any())
        self._phrases = Phrases(opened)
        self._words = Words(opened)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the whole file once, to check it: for a thread. CorruptIndex when it cannot serve."""
        return cls(artifact.read(path))

    def search(self, query: str, only: Filter = Filter(), *, limit: int, offset: int = 0) -> Found:  # noqa: B008
        """The hits from `offset` on, best first, at most `limit`; of all hits, the first 1,000 are counted."""
        words = normal(query)
        if not words:
            return Found()
        rule = self._rule(only)
        crowd = self._phrases.crowd(words)
        if crowd is not None:
            kept = self._first(crowd, rule)
            if len(kept.labels) >= FEW:
                return self._page(kept, limit, offset)
        found = [crowd if crowd is not None else self._phrases.beginning(words)]
        if self._few(found, rule, FEW):
            split = words.split()[:WORDS_MAX]
            meant = self._words.typed(split)
            found += self._looser(words, meant)
            # Several words that stand so in a name are hardly an accident, one word may be.
            if self._few(found, rule, 1 if len(split) > 1 else FEW):
                found.append(self._words.mistyped(split, meant))
        return self._page(self._ranked(found, rule), limit, offset)

    def popular(self, only: Filter = Filter(), *, limit: int, offset: int = 0) -> Found:  # noqa: B008
        """What is best known, from `offset` on; the first 1,000 are counted."""
        rule = self._rule(only)
        every = np.arange(self.counts.entries if rule else min(HITS_MAX, self.counts.entries))
        every = _some(every, rule) if rule else every
        page = every[offset : offset + limit].tolist()
        return Found(tuple(self._hit(entry) for entry in page), len(every))

    def title(self, title_id: str) -> Title:
        """A title with its characters, best known first."""
        entry = self._number(TITLES, title_id)
        if entry is None:
            raise NotFound("The catalogue has no such title.", reason="TITLE_NOT_FOUND", metadata={"title": title_id})
        return self._as_title(entry)

    def character(self, character_id: str) -> tuple[Character, Title]:
        """A character, and the title it comes from without its characters."""
        entry = self._number(CHARACTERS, character_id)
        if entry is None:
            raise NotFound(
                "The catalogue has no such character.",
                reason="CHARACTER_NOT_FOUND",
                metadata={"character": character_id},
            )
        return self._as_character(entry), self._as_title(self._title[entry], characters=False)

    def has(self, name: str) -> bool:
        """Whether there is an entry of this resource name, `characters/{slug}`."""
        collection, _, slug = name.partition("/")
        return self._number(collection, slug) is not None

    def names(self) -> Iterator[str]:
        """The resource names of all entries, best known first."""
        return (self._name(entry) for entry in range(self.counts.entries))

    def _rule(self, only: Filter) -> Rule:
        """Says of entries, by number, whether they may be found; None for all."""
        if only == Filter(include_adult=only.include_adult) and (only.include_adult or not self._any_adult):
            return None
        kinds = np.array([not only.kinds or kind in only.kinds for kind in KINDS])
        year_min, year_max = only.year_min, only.year_max or YEAR_MAX

        def rule(entries: Numbers) -> Bools:
            kind = self._kind[entries]
            good = kinds[kind]
            if not only.include_adult:
                good &= ~self._adult[entries]
            if only.year_min or only.year_max:
                year = self._year[entries]
                good &= ((year >= year_min) & (year <= year_max) & (year > 0)) | (kind == ACTOR)
            return good

        return rule

    def _looser(self, words: str, meant: Sequence[Meant]) -> list[Candidates]:
        """Other readings of a query as it was typed."""
        found = [self._phrases.without_spaces(words)]
        if rest := without_article(words):
            crowd = self._phrases.crowd(rest)
            found.append(self._phrases.beginning(rest) if crowd is None else crowd)
        if len(meant) > 1:
            found.append(self._words.with_all(meant))
        return found

    def _first(self, crowd: Candidates, rule: Rule) -> Candidates:
        """The first of a ranked crowd that may be found."""
        if rule is None:
            return crowd.cut(slice(HITS_MAX))
        return crowd.cut(_some(self._label_entry[crowd.labels], rule))

    def _few(self, several: list[Candidates], rule: Rule, enough: int) -> bool:
        """Whether fewer entries were found, of those that may be."""
        if sum(len(one.labels) for one in several) < enough:
            return True
        entries = unique(self._label_entry[np.concatenate([one.labels for one in several])])
        return (len(entries) if rule is None else int(np.count_nonzero(rule(entries)))) < enough

    def _ranked(self, several: list[Candidates], rule: Rule) -> Candidates:
        """The best candidate on each entry that may be found, best first."""
        found = Candidates.joined(several)
        entries = self._label_entry[found.labels]
        if rule is not None:
            kept = rule(entries)
            found, entries = found.cut(kept), entries[kept]
        if len(entries) < 2:
            return found
        points = found.points() + self._fame[entries]
        # The best of every entry, then the best entries.
        places = np.lexsort((found.labels, -points, entries))
        ordered = entries[places]
        best = places[np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))]
        return found.cut(best[np.argsort(-points[best], kind="stable")[:HITS_MAX]])

    def _page(self, ranked: Candidates, limit: int, offset: int) -> Found:
        columns = (column.tolist() for column in ranked.cut(slice(offset, offset + limit)))
        hits = tuple(self._hit_of(*row) for row in zip(*columns, strict=True))
        return Found(hits, len(ranked.labels))

    def _hit_of(self, label: int, code: int, typos: int, missing: float) -> Hit:
        entry = self._entry_of[label]
        match = MATCHES[code]
        fame = round(POPULARITY_POINTS * self._popularity_of[entry], 2)
        # Adding 0 makes a sum of no points 0, and not -0.
        score = Score(match, MATCH_POINTS[match], typos, typos * TYPO_POINTS + 0.0, missing + 0.0, fame)
        place = self._label_text[label]
        text = self._text(entry, place) if place >= TEXTS.ALIASES else ""
        by_actor = match is Match.ACTOR or place >= TEXTS.ALIASES + self._aliases[entry]
        return self._hit(entry, "" if by_actor else text, text if by_actor else "", score)

    def _hit(self, entry: int, alias: str = "", actor: str = "", score: Score | None = None) -> Hit:
        kind = KINDS[self._kind_of[entry]]
        return Hit(
            id=self._text(entry, TEXTS.ID),
            name=self._text(entry, TEXTS.NAME),
            kind=kind,
            title_name=self._text(self._title[entry], TEXTS.NAME) if kind is Kind.CHARACTER else "",
            year=self._year_of[entry],
            popularity=self._popularity_of[entry],
            alias=alias,
            actor=actor,
            score=score,
        )

    def _text(self, entry: int, place: int) -> str:
        return self._texts[self._first_text[entry] + place]

    def _name(self, entry: int) -> str:
        return "/".join(self._key(entry))

    def _key(self, entry: int) -> tuple[str, str]:
        return COLLECTIONS.get(KINDS[self._kind_of[entry]], TITLES), self._text(entry, TEXTS.ID)

    def _number(self, collection: str, entry_id: str) -> int | None:
        key = (collection, entry_id)
        place = bisect_left(self._by_id, key, key=self._key)
        if place == len(self._by_id) or self._key(self._by_id[place]) != key:
            return None
        return self._by_id[place]

    def _as_title(self, entry: int, *, characters: bool = True) -> Title:
        within = self._characters[self._characters_of[entry] : self._characters_of[entry + 1]].tolist()
        return Title(
            id=self._text(entry, TEXTS.ID),
            name=self._text(entry, TEXTS.NAME),
            kind=KINDS[self._kind_of[entry]],
            year=self._year_of[entry],
            aliases=self._alias_texts(entry),
            popularity=self._popularity_of[entry],
            characters=tuple(self._as_character(one) for one in within) if characters else (),
            adult=bool(self._adult[entry]),
            overview=self._text(entry, TEXTS.PROSE),
        )

    def _as_character(self, entry: int) -> Character:
        begin = self._first_text[entry] + TEXTS.ALIASES + self._aliases[entry]
        names = [self._texts[place] for place in range(begin, self._first_text[entry + 1])]
        return Character(
            id=self._text(entry, TEXTS.ID),
            name=self._text(entry, TEXTS.NAME),
            aliases=self._alias_texts(entry),
            persona=self._text(entry, TEXTS.PROSE),
            popularity=self._popularity_of[entry],
            actors=tuple(Actor("", name) for name in names),
        )

    def _alias_texts(self, entry: int) -> tuple[str, ...]:
        begin = self._first_text[entry] + TEXTS.ALIASES
        return tuple(self._texts[place] for place in range(begin, begin + self._aliases[entry]))


def _some(entries: Numbers, rule: Tried) -> I64:
    """The places of the first 1,000 entries that the rule lets through."""
    pieces: list[I64] = []
    count = 0
    for begin in range(0, len(entries), PIECE_ENTRIES):
        pieces.append(np.flatnonzero(rule(entries[begin : begin + PIECE_ENTRIES])) + begin)
        count += len(pieces[-1])
        if count >= HITS_MAX:
            break
    return np.concatenate(pieces)[:HITS_MAX] if pieces else np.zeros(0, dtype=np.int64)
