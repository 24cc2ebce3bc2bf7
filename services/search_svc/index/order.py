"""Putting very many keys in order, without a Python object for each."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.search_svc.index.arrays import I64, U8, U64, Bools
from services.search_svc.index.strings import END

COMPARED_BYTES = 32
PIECE_KEYS = 1 << 18


def order(blob: U8, offsets: I64) -> I64:
    """The places of the keys in the order of their bytes, each up to its next 0; equal keys keep their order."""
    if not len(offsets):
        return np.zeros(0, dtype=np.int64)
    columns = _columns(blob, offsets)
    places = np.lexsort(tuple(reversed([columns[:, column] for column in range(columns.shape[1])])))
    ordered = columns[places]
    same = (ordered[1:] == ordered[:-1]).all(axis=1) & ((ordered[1:, -1] & np.uint64(0xFF)) != 0)
    del ordered, columns
    return _settled(blob, offsets, places, same)


def _columns(blob: U8, offsets: I64) -> U64:
    """The first bytes of every key as large numbers, with zeros after its end."""
    padded = np.concatenate([blob, np.zeros(COMPARED_BYTES, dtype=np.uint8)])
    windows = sliding_window_view(padded, COMPARED_BYTES)
    columns = np.empty((len(offsets), COMPARED_BYTES // 8), dtype=np.uint64)
    for begin in range(0, len(offsets), PIECE_KEYS):
        piece = windows[offsets[begin : begin + PIECE_KEYS]]
        piece[np.logical_or.accumulate(piece == 0, axis=1)] = 0
        columns[begin : begin + len(piece)] = piece.view(">u8")
    return columns


def _settled(blob: U8, offsets: I64, places: I64, same: Bools) -> I64:
    """Orders the runs of keys whose first bytes are the same, by all of their bytes."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    view = blob.tobytes()
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        run = places[begin : end + 1]
        keys = [view[offset : view.index(END, offset)] for offset in offsets[run].tolist()]
        places[begin : end + 1] = run[sorted(range(len(run)), key=keys.__getitem__)]
    return places
