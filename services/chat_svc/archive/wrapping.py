"""Text in lines of a width, each filled as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from services.chat_svc.archive.letters import Letter

# What no line begins with, and what no line ends with, where letters stand without spaces.
CLOSING = frozenset("、。，．・：；？！ー）」』】》〉〕］｝〟’”々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ")  # noqa: RUF001 (they are meant)
OPENING = frozenset("（「『【《〈〔［｛〝‘“")  # noqa: RUF001


def wrapped(letters: Sequence[Letter], width: float) -> Iterator[Sequence[Letter]]:
    """The lines of a text; `width` in thousandths of its size. Takes time in proportion to the text.

    A line breaks at a space, around an eastern letter, or, in a word that is longer than a line, anywhere.
    """
    ends = [0.0, *accumulate(one.width for one in letters)]
    begin = place = 0
    for at, letter in enumerate(letters):
        if at > begin and _may_break(letters[at - 1], letter):
            place = at
        if letter.shown != " " and ends[at + 1] - ends[begin] > width and at > begin:
            end = place if place > begin else at
            yield letters[begin:end]
            begin = place = end
    if begin < len(letters):
        yield letters[begin:]


def _may_break(before: Letter, after: Letter) -> bool:
    if before.shown == " ":
        return after.shown != " "
    between = before.eastern or after.eastern
    return between and after.shown not in CLOSING and before.shown not in OPENING and after.shown != " "
