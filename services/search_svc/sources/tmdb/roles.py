"""Who is meant by the text that credits have for a role."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.search_svc.sources.texts import aliases, tidy
from services.search_svc.terms import normal

# A long credit has many roles; the first count.
ROLE_LENGTH_MAX = 1000
# How somebody is in it, at what age, or what people call them: `(voice)`, `(uncredited)`, `(old)`.
REMARK = re.compile(r"\s*[(\[\uff08][^()\[\]\uff08\uff09]*[)\]\uff09]")
PARTS = re.compile(r"\s+/\s*|\s*/\s+|(?<=[^\W\d_]{2})/(?=[^\W\d_]{2})")
# A name that others call somebody by, in the middle of the real one.
NICKNAME = re.compile(r"(?<=\S)\s+([\"'“\u2018])(?P<name>[^\"“”]{2,}?)[\"'”\u2019]\s+(?=\S)")

# `Self - Host`, and not the `Self-Made Man`.
THEMSELVES = re.compile(r"(?:him|her|it|them)?sel(?:f|ves)(?=$|\s+[-\u2013\u2014]|[,:.;])", re.IGNORECASE)
NOBODY = frozenset(
    {
        "additional voice", "additional voices", "various", "various characters", "various roles", "various voices",
        "voice", "voices", "extra", "extras", "background", "performer", "ensemble", "unknown", "uncredited", "na",
        "n a", "none", "guest", "contestant", "cameo", "cast", "actor", "actress", "additional cast",
    }
)  # fmt: skip
QUOTED = re.compile(r"[\"“](?P<name>[^\"“”]+)[\"”]")
# `Cop #2` is one of many.
NUMBERED = re.compile(r"#\s*\d+$")


@dataclass(frozen=True, slots=True)
class Called:
    """A character's name, and the others it goes by."""

    name: str
    aliases: tuple[str, ...] = ()


def called(text: str | None) -> Called | None:
    """Who a role is; None for nobody in particular, and for people who are themselves.

    `Tony Stark / Iron Man (voice)` is Tony Stark, who goes by Iron Man: the first name is the name, the others are its
    aliases, also where one actor plays several people, which credits write the same way. `Jennifer "JJ" Jareau` is
    Jennifer Jareau, who goes by JJ. What stands in parentheses is left out: who is not in the credits on the screen is
    a character all the same.
    """
    parts = [part for part in PARTS.split(tidy(REMARK.sub(" ", tidy(text)[:ROLE_LENGTH_MAX]))) if _is_somebody(part)]
    if not parts:
        return None
    names = [_without_nickname(part) for part in parts]
    nicknames = [found["name"] for part in parts if (found := NICKNAME.search(part))]
    return Called(names[0], aliases(names[0], [*names[1:], *nicknames]))


def _without_nickname(part: str) -> str:
    whole = QUOTED.fullmatch(part)
    return whole["name"] if whole else tidy(NICKNAME.sub(" ", part, count=1))


def _is_somebody(part: str) -> bool:
    excluded = THEMSELVES.match(part) or NUMBERED.search(part) or normal(part) in NOBODY
    return bool(part) and not excluded
