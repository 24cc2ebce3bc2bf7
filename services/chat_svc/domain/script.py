"""Scripts whose words stand without spaces between them, and how a search finds them: in pairs of characters.

寿司屋 is written down as 寿, 寿司, 司屋 and 屋, one after the other. So whatever part of it is looked for is a row of
such pairs, a single character is the beginning of one, and the ends of the whole say what stands beside it.
"""

from __future__ import annotations

import re

# Thai, Lao, Burmese, Khmer, Hangul, Kana, Bopomofo and Han, letters and marks, without digits and punctuation. Python
# and PostgreSQL read it alike.
UNSPACED = (
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebe\u0ec0-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109d\u1100-\u11ff"
    r"\u1780-\u17d3\u17d7\u17dc\u17dd\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c\u3041-\u3096\u3099\u309a"
    r"\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\uff66-\uffdc"
    r"\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)

# A phrase, or a word with what sticks to it; a leading minus says that it must not be there.
TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
RUN = re.compile(f"([{UNSPACED}]+)")
# What is looked for, piece by piece: a run without spaces, or a word.
PIECE = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")
LETTER = re.compile(r"\w")


def in_pairs(query: str) -> str:
    """A query whose runs without spaces are the phrases that they are written down as."""
    return TERM.sub(_term, query)


def _term(match: re.Match[str]) -> str:
    minus, phrase, word = match.groups()
    parts = [part.strip() for part in RUN.split(word if phrase is None else phrase) if LETTER.search(part)]
    if not any(map(RUN.match, parts)):
        return match.group()
    last = len(parts) - 1
    told = [_pairs(part, place == 0, place == last) if RUN.match(part) else part for place, part in enumerate(parts)]
    return f' {minus}"{" ".join(told)}" '


def _pairs(run: str, first: bool, last: bool) -> str:
    """The pairs of a run, and its ends where something else stands beside them."""
    if len(run) == 1:
        return run if first or last else f"{run} {run}"
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    return " ".join([*([] if first else [run[0]]), *pairs, *([] if last else [run[-1]])])
