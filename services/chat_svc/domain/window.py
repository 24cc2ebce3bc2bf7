"""How much of a history a prompt has room for.

A window that lost one message with each turn would have a new beginning each time, and no provider's cache would hold.
This one begins at a boundary, of which there is one every so many tokens, and stays there until it is full; then it
begins at the next boundary that leaves room. Where it begins follows from the history alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate

# Of the room, what stays at most when the window was full, and how full it may be before older turns are summarised.
STAYS = 0.6
FULL = 0.85


def beginning(sizes: Sequence[int], room: int, beside: Callable[[int], int]) -> int:
    """Where the window over messages of these sizes begins, that has `room` for them and for what it leaves out.

    `beside` says how much of the room it takes to begin at a message. The last message is in it, whatever its size.
    """
    last = max(len(sizes) - 1, 0)
    offsets = [0, *accumulate(sizes)]
    over = offsets[-1] - room
    step = max(1, round(room * (1 - STAYS)))
    begin = boundary = 0
    while begin < last and over - offsets[begin] + beside(begin) > 0:
        boundary = max(boundary + 1, over // step)
        begin = min(bisect_left(offsets, boundary * step), last)
    return begin


def outgrown(sizes: Sequence[int], room: int, most: int) -> int:
    """How many of the oldest messages should be summarised, so that the rest leaves room: none until it is nearly full.

    They have `most` tokens together, and are one at least.
    """
    total = sum(sizes)
    if room <= 0 or total <= room * FULL:
        return 0
    offsets = [0, *accumulate(sizes)]
    wanted = bisect_left(offsets, total - room * STAYS)
    return max(1, min(wanted, bisect_left(offsets, most + 1) - 1))


def anchor(positions: Sequence[int]) -> int:
    """Where a history begins that was cut at any place: the roundest position of its older half.

    The cut moves with every message; the roundest of many positions stays the same for long.
    """
    half = range(max(1, len(positions) // 2))
    return max(half, key=lambda index: positions[index] & -positions[index], default=0) if positions else 0
