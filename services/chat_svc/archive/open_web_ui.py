"""Open WebUI's export of chats: a list, each with a history in which every message names its parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.chat_svc.archive.parsed import parsed
from services.chat_svc.archive.story import (
    Line,
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
)


def read(content: bytes) -> Told:
    """The conversations of a file."""
    found = parsed(content)
    return each(found if isinstance(found, list) else [found], _story)


def _story(value: Any) -> Story:
    chat = value.get("chat") or value
    title = line(value.get("title") or chat.get("title"))
    history = chat.get("history") or {}
    messages = history.get("messages")
    if not isinstance(messages, dict):
        raise Untold(title, "It holds no history.")
    lines = ordered(_lines(messages, title), title)
    current = history.get("currentId")
    chosen = current if any(one.key == current for one in lines) else newest(lines)
    made_at = moment(value.get("created_at") or chat.get("timestamp"))
    archived, used_at = bool(value.get("archived")), moment(value.get("updated_at"))
    return Story(title, lines, chosen, made_at, archived=archived, updated_at=used_at)


def _is_said(one: Any) -> bool:
    return one.get("role") in ("user", "assistant")


def _lines(messages: dict[str, Any], title: str) -> Iterator[Line]:
    before: dict[Any, Any] = {}
    for key, one in messages.items():
        if _is_said(one):
            parent = parent_of(_said(one.get("parentId"), messages, before, title))
            at = moment(one.get("timestamp"))
            yield Line(key_of(key), parent, one["role"] == "user", _text(one.get("content")), at)


def _said(parent: Any, messages: dict[str, Any], before: dict[Any, Any], title: str) -> Any:
    """What a message with this parent was said after; `before` keeps that for every parent that was passed over."""
    passed: dict[Any, None] = {}
    # What the system said stands for nobody here: who spoke after it spoke after what was before.
    while parent not in before and parent in messages and not _is_said(messages[parent]):
        if parent in passed:
            raise Untold(title, "Some of its messages were said after one another in a circle.")
        passed[parent] = None
        parent = messages[parent].get("parentId")
    found = before.get(parent, parent)
    before.update(dict.fromkeys(passed, found))
    return found


def _text(content: Any) -> str:
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(text(part) for part in parts)
    return text(content)
