"""Our own files, as they are read: with care, since anybody may have changed them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chat_svc.archive.parsed import parsed
from services.chat_svc.archive.story import (
    MODEL_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Line,
    Made,
    Story,
    Told,
    Untold,
    each,
    key_of,
    line,
    moment,
    newest,
    ordered,
    parent_of,
    text,
    unreadable,
)
from services.chat_svc.archive.writing import FORMAT, VERSION
from services.chat_svc.domain.character import PREFIX, is_name
from services.chat_svc.domain.conversation import Reaction, Role, State
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode, text_of
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.outcome import FinishReason, Usage

# As the contract has them for characters and messages.
MADE_CHARACTERS_MAX = {"display_name": 100, "title": 200, "persona": 4_000, "greeting": 2_000}
SHOWN_MAX = 4

TOKENS_MAX = 10_000_000
ENTRIES_MAX = 1_000


def read(content: bytes) -> Told:
    """The conversation of a file, or several where it is a list."""
    found = parsed(content)
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, dict) or one.get("format") != FORMAT:
            raise unreadable(f"it does not say that its format is {FORMAT}")
    return each(found if isinstance(found, list) else [found], _story)


def _story(value: Any) -> Story:
    title = text(value["title"])[:TITLE_CHARACTERS_MAX]
    if value["version"] != VERSION:
        raise Untold(line(title), f"It is of version {value['version']!r:.40}, and we read version {VERSION}.")
    lines = ordered((_line(one) for one in value["messages"]), title)
    keys = {one.key for one in lines}
    current, until = value.get("current"), value.get("summary_until")
    character, others = text(value.get("character")), tuple(text(one) for one in value.get("others", ()))
    if not all(is_name(one) for one in others):
        raise ValueError("the others are no characters")
    shown = {media for one in lines for media in one.media}
    return Story(
        title,
        lines,
        current if current in keys else newest(lines),
        moment(value.get("created_at")),
        character=character if is_name(character) else "",
        others=others,
        group=_group(value.get("group")) if others else None,
        archived=bool(value.get("archived")),
        titled=bool(value.get("titled", True)),
        summary=text(value.get("summary")) if until in keys else "",
        summary_until=until if until in keys else None,
        updated_at=moment(value.get("updated_at")),
        forked_from=UUID(value["forked_from"]) if value.get("forked_from") else None,
        made=dict(_made(one) for one in value.get("characters", ())),
        pictures={name: content for name, content in map(_picture, value.get("media", ())) if name in shown},
    )


def _line(one: Any) -> Line:
    state, reaction = State(one["state"]), one.get("reaction")
    by_person = Role(one["role"]) is Role.USER
    ended = state is State.COMPLETE
    said = text(one["text"])
    return Line(
        key_of(one["name"]),
        parent_of(one.get("parent")),
        by_person,
        said,
        moment(one.get("created_at")),
        character=text(one.get("character")),
        model=text(one.get("model"))[:MODEL_CHARACTERS_MAX],
        state=State.COMPLETE if ended or by_person else State.FAILED,
        finish=FinishReason(one.get("finish", "stop")) if ended and not by_person else None,
        failure=None if ended or by_person else FailureReason(one.get("failure", "interrupted")),
        pinned=bool(one.get("pinned")),
        reaction=Reaction(reaction) if reaction else None,
        edited_at=_edited(one.get("edited_at")),
        media=_media(one.get("media", ())) if by_person else (),
        next=text(one.get("next")) or None,
        usage=_usage(one["usage"]) if one.get("usage") and not by_person else None,
        log=_log(one["log"], said) if one.get("log") and not by_person else (),
    )


def _edited(value: Any) -> datetime | None:
    return moment(value) if value else None


def _media(value: Any) -> tuple[UUID, ...]:
    if len(value) > SHOWN_MAX:
        raise ValueError("a message shows too much")
    return tuple(dict.fromkeys(UUID(one) for one in value))


def _usage(value: Mapping[str, Any]) -> Usage:
    read = Usage(**value)
    counts = (read.input_tokens, read.output_tokens, read.cached_tokens)
    if not all(type(one) is int and 0 <= one <= TOKENS_MAX for one in counts) or not isinstance(read.estimated, bool):
        raise ValueError("a message's usage is none")
    return read


def _log(value: Any, said: str) -> tuple[Entry, ...]:
    """What an answer came in; nothing where that is not what it says."""
    if not isinstance(value, list) or len(value) > ENTRIES_MAX:
        raise TypeError("a message's log is none")
    entries = tuple(_entry(one) for one in value)
    return entries if isinstance(entries[0], Began) and text_of(entries) == said else ()


def _entry(one: Any) -> Entry:
    if "said" in one:
        return Said(text(one["said"]))
    if "began" in one:
        return Began(text(one["began"])[:MODEL_CHARACTERS_MAX])
    before, after, fault, mode, kept = one["seam"]
    if type(kept) is not int or kept < 0:
        raise ValueError("a seam is none")
    models = (text(before)[:MODEL_CHARACTERS_MAX], text(after)[:MODEL_CHARACTERS_MAX])
    # No text is so long that more of it could be kept.
    return Seam(*models, Fault(fault), SeamMode(mode), min(kept, 2**31 - 1))


def _made(one: Any) -> tuple[str, Made]:
    name, told = text(one["name"]), {key: text(one.get(key)) for key in MADE_CHARACTERS_MAX}
    too_long = any(len(told[key]) > characters for key, characters in MADE_CHARACTERS_MAX.items())
    if not is_name(name) or not name.startswith(PREFIX) or not told["display_name"] or too_long:
        raise ValueError("a character is none")
    return name, Made(**told)


def _picture(one: Any) -> tuple[UUID, bytes]:
    return UUID(one["name"]), b64decode(one.get("content") or "", validate=True)


def _group(value: Any) -> Group:
    if value is None:
        return Group()
    read = Group(**{**value, "turn_order": TurnOrder(value["turn_order"])})
    counts = (read.answers_max, read.credits_max, read.pause_seconds, read.seed, *read.talkativeness.values())
    if not all(type(one) is int for one in counts) or not isinstance(read.self_replies, bool):
        raise TypeError("a group's settings are none")
    bounded = (1 <= read.answers_max <= 8, 1 <= read.credits_max <= 100, 0 <= read.pause_seconds <= 10)
    named = len(read.talkativeness) <= 8 and all(is_name(one) for one in read.talkativeness)
    percent = all(0 <= one <= 100 for one in read.talkativeness.values())
    if not all(bounded) or not named or not percent or not -(2**63) <= read.seed < 2**63:
        raise ValueError("a group's settings are out of bounds")
    return read
