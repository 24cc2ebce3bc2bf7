"""How the characters of a group take turns.

Who speaks in a round is decided when the person has spoken, for the whole round. Chance is a generator that is seeded
by the group and by the place in the conversation, so that the same scene takes the same turns again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import groupby, pairwise
from random import Random
from uuid import UUID

ANSWERS = 3
TALKATIVENESS = 50

# Of a name, a word as short as these is too common to be meant by it.
WORD_LETTERS_MIN = 3
# Words that names share with everything else that is said; whoever means such a name says all of it.
COMMON_WORDS = frozenset({"the", "and", "von", "van", "der", "den", "del", "dos", "les", "los", "las", "mrs", "sir"})

WORD = re.compile(r"[^\W_]+")


class TurnOrder(Enum):
    """Who answers, in which order; what each means stands in the contract."""

    NATURAL = "natural"
    LIST = "list"
    POOLED = "pooled"
    MANUAL = "manual"


@dataclass(frozen=True)
class Group:
    """`talkativeness` in percent, by the character's name. `credits_max` are units of the meter for one round."""

    turn_order: TurnOrder = TurnOrder.NATURAL
    talkativeness: Mapping[str, int] = field(default_factory=dict, hash=False)
    answers_max: int = ANSWERS
    credits_max: int = ANSWERS
    self_replies: bool = False
    pause_seconds: int = 0
    seed: int = 0


def seeded(group: Group, conversation: UUID) -> Group:
    """The group with a seed: the one that it has, or one of its conversation's own, as random as the id is."""
    return group if group.seed else replace(group, seed=conversation.int >> 65)


def chance(group: Group, position: int) -> Random:
    """The generator of the round that begins behind this position of the conversation."""
    return Random(f"{group.seed}:{position}")  # noqa: S311 (it must be the same again)


def speakers(
    group: Group, cast: Mapping[str, str], text: str, spoken: Sequence[str], random: Random
) -> tuple[str, ...]:
    """Who answers what the person says, in this order; nobody where the order is MANUAL.

    `cast` are the display names by the character's name, in the order of the group. `spoken` are those who have spoken
    on the branch so far, oldest first.
    """
    match group.turn_order:
        case TurnOrder.NATURAL:
            chosen = _natural(group, cast, text, random)
        case TurnOrder.LIST:
            chosen = list(cast)
        case TurnOrder.POOLED:
            chosen = _pooled(group, list(cast), spoken, random)
        case TurnOrder.MANUAL:
            chosen = []
    return tuple(chosen[: group.answers_max])


def fault_of(group: Group | None, cast: Sequence[str], asked: Sequence[str]) -> str:
    """What is wrong with the speakers that a person asks for; empty where they are all right."""
    answers_max, self_replies = (group.answers_max, group.self_replies) if group else (1, False)
    if group is not None and group.turn_order is TurnOrder.MANUAL and not asked:
        return "must say who answers, as the group's turn order is manual"
    if strangers := [one for one in asked if one not in cast]:
        return f"names {strangers[0]}, who is not in the conversation"
    if len(asked) > answers_max:
        return f"names more than answer to one message here, {answers_max}"
    if not self_replies and any(one == another for one, another in pairwise(asked)):
        return "has somebody answer themselves, which the group does not let them"
    return ""


def fitting(group: Group, cast: Sequence[str], answered: Sequence[str]) -> list[str]:
    """Of those who answered once, who may by what the group lets them now; the first of it where nobody did."""
    found = [one for one in answered if one in cast] or [cast[0]]
    return (found if group.self_replies else [one for one, _ in groupby(found)])[: group.answers_max]


def mentioned(cast: Mapping[str, str], text: str) -> list[str]:
    """The characters that a text names, each once, in the order in which it does.

    A whole name means the one who is called so, a single word of a name everybody who has it.
    """
    names = {character: tuple(words(name)) for character, name in cast.items()}
    telling = {character: _telling(name) for character, name in names.items()}
    heard, found, place = words(text), list[str](), 0
    while place < len(heard):
        whole = max((len(name) for name in names.values() if name and _at(heard, place, name)), default=0)
        if whole:
            found += [one for one, name in names.items() if len(name) == whole and _at(heard, place, name)]
        else:
            found += [one for one, told in telling.items() if heard[place] in told]
        place += max(1, whole)
    return list(dict.fromkeys(found))


def words(text: str) -> list[str]:
    """The words of a text without case and diacritics."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return WORD.findall(plain)


def _at(heard: list[str], place: int, name: tuple[str, ...]) -> bool:
    return tuple(heard[place : place + len(name)]) == name


def _telling(name: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for word in name if len(word) >= WORD_LETTERS_MIN and word not in COMMON_WORDS)


def _natural(group: Group, cast: Mapping[str, str], text: str, random: Random) -> list[str]:
    named = mentioned(cast, text)
    others = [one for one in _shuffled(list(cast), random) if one not in named]
    ready = [one for one in others if random.random() * 100 < group.talkativeness.get(one, TALKATIVENESS)]
    return [*named, *ready] or others[:1]


def _pooled(group: Group, cast: list[str], spoken: Sequence[str], random: Random) -> list[str]:
    """As many as a round may have, though nobody twice in one round."""
    pool = set(cast)
    for one in spoken:
        pool = (pool - {one}) or set(cast)
    order = _shuffled(cast, random)
    return [*(one for one in order if one in pool), *(one for one in order if one not in pool)]


def _shuffled(cast: list[str], random: Random) -> list[str]:
    # By keys, because what a generator's own shuffle does may change with the version of Python.
    keys = {one: random.random() for one in cast}
    return sorted(cast, key=keys.__getitem__)
