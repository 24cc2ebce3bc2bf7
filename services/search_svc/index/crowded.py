"""Beginnings that very many names share: what ranks first for them is worked out when the index is built.

So one letter costs no more than ten.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from services.search_svc.index.arrays import F32, U8, U32, Arrays
from services.search_svc.index.points import BY_CODE, EXACT, POPULARITY_POINTS
from services.search_svc.index.strings import by_two, packed_bytes

# A beginning that more names share than this is crowded.
STARTS_MAX = 512


def crowded(
    blob: U8,
    starts: Arrays,
    entry_of: U32,
    popularity: F32,
) -> Arrays:
    """For every crowded beginning, in order: its best start on each entry, best first."""
    prefixes: list[bytes] = []
    ranked: list[U32] = []
    matches: list[U8] = []
    counts = [0]
    for prefix, low, high in _crowded(blob, starts["start_offset"]):
        best, match = _ranked(prefix, low, high, blob, starts, entry_of, popularity)
        prefixes.append(prefix)
        ranked.append(best)
        matches.append(match)
        counts.append(counts[-1] + len(best))
    keys, offsets = packed_bytes(prefixes)
    return {
        "crowd_blob": keys,
        "crowd_key": offsets[:-1].astype(np.uint32),
        "crowd_key_by_two": by_two(keys, offsets[:-1].astype(np.uint32)),
        "crowd_first": np.array(counts, dtype=np.uint32),
        "crowd_label": np.concatenate(ranked or [np.zeros(0, dtype=np.uint32)]),
        "crowd_match": np.concatenate(matches or [np.zeros(0, dtype=np.uint8)]),
    }


def _crowded(blob: U8, offsets: U32) -> Iterator[tuple[bytes, int, int]]:
    """The beginnings with their ranges, in order."""
    waiting = [(b"", 0, len(offsets))]
    while waiting:
        prefix, low, high = waiting.pop()
        if high - low <= STARTS_MAX:
            continue
        if prefix:
            yield prefix, low, high
        following = blob[offsets[low:high].astype(np.int64) + len(prefix)]
        edges = [0, *(np.flatnonzero(np.diff(following)) + 1).tolist(), high - low]
        branches = [
            (prefix + bytes([following[begin]]), low + begin, low + end)
            for begin, end in pairwise(edges)
            if following[begin]
        ]
        waiting += reversed(branches)


def _ranked(
    prefix: bytes,
    low: int,
    high: int,
    blob: U8,
    starts: Arrays,
    entry_of: U32,
    popularity: F32,
) -> tuple[U32, U8]:
    labels = starts["start_label"][low:high]
    matches = starts["start_match"][low:high]
    ended = blob[starts["start_offset"][low:high].astype(np.int64) + len(prefix)] == 0
    matches = np.where(ended, EXACT[matches], matches)
    found = entry_of[labels]
    points = BY_CODE[matches] + POPULARITY_POINTS * popularity[found]
    places = np.lexsort((labels, found, -points))
    _, first = np.unique(found[places], return_index=True)
    places = places[np.sort(first)]
    return labels[places], matches[places]
