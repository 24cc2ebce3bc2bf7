"""Building the file of an index from titles.

Entries are numbered from the best known on, so that of two numbers the smaller one ranks higher where all else is
equal, and a list of them in order can be cut. Labels are numbered in the order of their entries.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.search_svc.domain.entries import Kind, Title
from services.search_svc.domain.found import Match
from services.search_svc.domain.version import Counts, Summary
from services.search_svc.index import artifact, typos
from services.search_svc.index.arrays import F32, I64, U8, U32, Arrays
from services.search_svc.index.crowded import crowded
from services.search_svc.index.entries import KINDS, TEXTS, Entry, entries
from services.search_svc.index.labels import Label, labels, starts
from services.search_svc.index.order import order
from services.search_svc.index.points import CODES
from services.search_svc.index.strings import by_two, packed


def build(titles: Iterable[Title], path: Path, version: int) -> Summary:
    """Writes the index file at `path`. OSError leaves nothing behind, in particular when the disk is full."""
    head, arrays = assembled(titles, version)
    checksum = artifact.write(path, head, arrays)
    return Summary(version, checksum, path.stat().st_size, Counts(*head["counts"]))


def assembled(titles: Iterable[Title], version: int) -> tuple[dict[str, Any], Arrays]:
    """What stands in the file: its head and its arrays."""
    listed = entries(titles)
    counts = Counts(
        titles=sum(entry.kind not in {Kind.CHARACTER, Kind.ACTOR} for entry in listed),
        characters=sum(entry.kind is Kind.CHARACTER for entry in listed),
        actors=sum(entry.kind is Kind.ACTOR for entry in listed),
    )
    head = {"version": version, "counts": [counts.titles, counts.characters, counts.actors]}
    return head, {**_entries(listed), **_labels(listed)}


def _entries(listed: Sequence[Entry]) -> Arrays:
    numbers = {entry.key: number for number, entry in enumerate(listed)}
    texts = [entry.texts for entry in listed]
    blob, offsets = packed(text for some in texts for text in some)
    first = np.zeros(len(listed) + 1, dtype=np.uint32)
    np.cumsum([len(some) for some in texts], out=first[1:])
    own = np.arange(len(listed), dtype=np.uint32)
    title = np.fromiter((numbers[entry.title] for entry in listed), dtype=np.uint32, count=len(listed))
    of_titles = np.lexsort((own, title))
    of_titles = of_titles[title[of_titles] != own[of_titles]]
    by_id = sorted(range(len(listed)), key=lambda number: listed[number].key)
    return {
        "text_blob": blob,
        "text_offset": offsets,
        "entry_text": first,
        "entry_aliases": np.array([entry.aliases for entry in listed], dtype=np.uint8),
        "entry_kind": np.array([KINDS.index(entry.kind) for entry in listed], dtype=np.uint8),
        "entry_year": np.array([entry.year for entry in listed], dtype=np.uint16),
        "entry_adult": np.array([entry.adult for entry in listed], dtype=np.uint8),
        "entry_popularity": np.array([entry.popularity for entry in listed], dtype=np.float32),
        "entry_title": title,
        "characters": of_titles.astype(np.uint32),
        "characters_of": np.searchsorted(title[of_titles], np.arange(len(listed) + 1)).astype(np.uint32),
        "by_id": np.array(by_id, dtype=np.uint32),
    }


def _labels(listed: Sequence[Entry]) -> Arrays:
    made: list[Label] = []
    entry_of: list[int] = []
    for number, entry in enumerate(listed):
        for label in _labels_of(entry):
            made.append(label)
            entry_of.append(number)
    blob, offsets = packed(label.words for label in made)
    positions = offsets.astype(np.int64)
    numbers = np.array(entry_of, dtype=np.uint32)
    arrays: Arrays = {
        "label_blob": blob,
        "label_offset": offsets.astype(np.uint32),
        "label_entry": numbers,
        "label_text": np.array([label.text for label in made], dtype=np.uint8),
        "label_begins": np.array([CODES[label.begins] for label in made], dtype=np.uint8),
        "entry_label": np.searchsorted(numbers, np.arange(len(listed) + 1)).astype(np.uint32),
    }
    popularity = np.array([entry.popularity for entry in listed], dtype=np.float32)
    arrays |= _starts(made, blob, positions, numbers, popularity)
    arrays |= _joined(made)
    return arrays | _words(made)


def _labels_of(entry: Entry) -> Iterable[Label]:
    for place, text in enumerate(entry.texts):
        if place == TEXTS.NAME:
            yield from labels(text, Match.NAME_PREFIX, Match.LATER_WORD_OF_NAME, place)
        elif TEXTS.ALIASES <= place < TEXTS.ALIASES + entry.aliases:
            yield from labels(text, Match.ALIAS_PREFIX, Match.LATER_WORD_OF_ALIAS, place)
        elif place >= TEXTS.ALIASES + entry.aliases:
            yield from labels(text, Match.ACTOR, Match.ACTOR, place)


def _starts(
    made: Sequence[Label],
    blob: U8,
    positions: I64,
    entry_of: U32,
    popularity: F32,
) -> Arrays:
    """Every word of every label with what follows it, in order."""
    inside: list[int] = []
    codes = bytearray()
    counts = []
    for label in made:
        found = list(starts(label))
        counts.append(len(found))
        ascii_only = label.words.isascii()
        for start in found:
            inside.append(start.position if ascii_only else len(label.words[: start.position].encode()))
            codes.append(CODES[start.match])
    of_label = np.repeat(np.arange(len(made), dtype=np.uint32), counts)
    offsets = positions[of_label] + np.array(inside, dtype=np.int64)
    places = order(blob, offsets)
    arrays: Arrays = {
        "start_offset": offsets[places].astype(np.uint32),
        "start_label": of_label[places],
        "start_match": np.frombuffer(bytes(codes), dtype=np.uint8)[places],
    }
    arrays["start_offset_by_two"] = by_two(blob, arrays["start_offset"])
    return arrays | crowded(blob, arrays, entry_of, popularity)


def _joined(made: Sequence[Label]) -> Arrays:
    """Labels of several words without their spaces, in order; actors are not found so."""
    several = [
        (number, label.words.replace(" ", ""))
        for number, label in enumerate(made)
        if " " in label.words and label.begins is not Match.ACTOR
    ]
    blob, offsets = packed(words for _, words in several)
    places = order(blob, offsets[:-1].astype(np.int64))
    ordered = offsets[:-1][places].astype(np.uint32)
    return {
        "joined_blob": blob,
        "joined_offset": ordered,
        "joined_offset_by_two": by_two(blob, ordered),
        "joined_label": np.array([number for number, _ in several], dtype=np.uint32)[places],
    }


def _words(made: Sequence[Label]) -> Arrays:
    """The vocabulary in order, the words of every label, and the labels of every word."""
    split = [label.words.split() for label in made]
    vocabulary = sorted({word for words in split for word in words})
    numbers = {word: number for number, word in enumerate(vocabulary)}
    flat = np.fromiter((numbers[word] for words in split for word in words), dtype=np.uint32)
    lengths = np.fromiter((len(words) for words in split), dtype=np.int64, count=len(split))
    ends = np.zeros(len(made) + 1, dtype=np.uint32)
    np.cumsum(lengths, out=ends[1:])
    of_label = np.repeat(np.arange(len(made), dtype=np.uint32), lengths)
    blob, offsets = packed(vocabulary)
    return {
        "word_blob": blob,
        "word_offset": offsets[:-1].astype(np.uint32),
        "word_offset_by_two": by_two(blob, offsets[:-1].astype(np.uint32)),
        "label_words": flat,
        "label_word": ends,
        "posting": of_label[np.argsort(flat, kind="stable")],
        "word_posting": np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=len(vocabulary)))]).astype(
            np.uint32
        ),
        **typos.tables(vocabulary),
    }
