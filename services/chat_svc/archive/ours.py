"""Our own files: everything of a conversation that is its person's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.chat_svc.archive.parsed import parsed
from services.chat_svc.archive.story import (
    MODEL_CHARACTERS_MAX,
    Line,
    Story,
    Told,
    Untold,
    each,
    line,
    moment,
    newest,
    ordered,
    text,
    unreadable,
)
from services.chat_svc.domain.character import is_name
from services.chat_svc.domain.conversation import Conversation, Message, Reaction, Role, State
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.outcome import FinishReason

FORMAT = "scenemesh.conversation"
VERSION = 1


def written(conversation: Conversation, messages: Sequence[Message]) -> bytes:
    """The file of a conversation and all its messages."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "title": conversation.display_name,
        "titled": conversation.titled,
        "character": conversation.character,
        "others": conversation.others,
        "group": _group(conversation.group),
        "archived": conversation.archived,
        "created_at": conversation.created_at.isoformat(),
        "current": _name(conversation.current),
        "summary": conversation.summary,
        "summary_until": _name(conversation.summary_until),
        "messages": [_message(one) for one in messages],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def read(content: bytes) -> Told:
    """The conversation of a file, or several where it is a list."""
    found = parsed(content)
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, dict) or one.get("format") != FORMAT:
            raise unreadable(f"it does not say that its format is {FORMAT}")
    return each(found if isinstance(found, list) else [found], _story)


def _story(value: Any) -> Story:
    title = line(value["title"])
    if value["version"] != VERSION:
        raise Untold(title, f"It is of version {value['version']!r}, and we read version {VERSION}.")
    lines = ordered((_line(one) for one in value["messages"]), title)
    keys = {one.key for one in lines}
    current, until = value.get("current"), value.get("summary_until")
    character, others = text(value.get("character")), tuple(text(one) for one in value.get("others", ()))
    if not all(is_name(one) for one in others):
        raise ValueError("the others are no characters")
    return Story(
        title,
        lines,
        current if current in keys else newest(lines),
        moment(value.get("created_at")),
        character=character if is_name(character) else "",
        others=others,
        group=_read_group(value.get("group")) if others else None,
        archived=bool(value.get("archived")),
        titled=bool(value.get("titled", True)),
        summary=text(value.get("summary")) if until in keys else "",
        summary_until=until if until in keys else None,
    )


def _message(message: Message) -> dict[str, Any]:
    told = {
        "name": _name(message.id),
        "parent": _name(message.parent),
        "role": message.role.value,
        "character": message.character,
        "text": message.text,
        "state": message.state.value,
        "finish": message.finish.value if message.finish else None,
        "failure": message.failure.value if message.failure else None,
        "model": message.model,
        "created_at": message.created_at.isoformat(),
        "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        "pinned": message.pinned,
        "reaction": message.reaction.value if message.reaction else None,
    }
    return {key: value for key, value in told.items() if value not in (None, "", False)} | {"text": message.text}


def _line(one: Any) -> Line:
    state, reaction = State(one["state"]), one.get("reaction")
    by_person = Role(one["role"]) is Role.USER
    ended = state is State.COMPLETE
    return Line(
        text(one["name"]),
        one.get("parent"),
        by_person,
        text(one["text"]),
        moment(one.get("created_at")),
        character=text(one.get("character")),
        model=text(one.get("model"))[:MODEL_CHARACTERS_MAX],
        state=State.COMPLETE if ended or by_person else State.FAILED,
        finish=FinishReason(one.get("finish", "stop")) if ended and not by_person else None,
        failure=None if ended or by_person else FailureReason(one.get("failure", "interrupted")),
        pinned=bool(one.get("pinned")),
        reaction=Reaction(reaction) if reaction else None,
        edited_at=_edited(one.get("edited_at")),
    )


def _edited(value: Any) -> datetime | None:
    return moment(value) if value else None


def _group(group: Group | None) -> dict[str, Any] | None:
    return None if group is None else {**asdict(group), "turn_order": group.turn_order.value}


def _read_group(value: Any) -> Group:
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


def _name(identifier: object) -> str | None:
    return None if identifier is None else str(identifier)
