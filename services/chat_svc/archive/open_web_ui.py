"""Open WebUI's export of chats: a list, each with a history in which every message names its parent."""

from __future__ import annotations

from typing import Any

from services.chat_svc.archive.parsed import parsed
from services.chat_svc.archive.story import Line, Story, Told, Untold, each, line, moment, newest, ordered, text


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
    lines = ordered((_line(key, one, messages) for key, one in messages.items() if _is_said(one)), title)
    current = history.get("currentId")
    chosen = current if any(one.key == current for one in lines) else newest(lines)
    made_at = moment(value.get("created_at") or chat.get("timestamp"))
    return Story(title, lines, chosen, made_at, archived=bool(value.get("archived")))


def _is_said(one: Any) -> bool:
    return one.get("role") in ("user", "assistant")


def _line(key: str, one: Any, messages: dict[str, Any]) -> Line:
    parent = one.get("parentId")
    # What the system said stands for nobody here: who spoke after it spoke after what was before.
    while parent is not None and parent in messages and not _is_said(messages[parent]):
        parent = messages[parent].get("parentId")
    return Line(key, parent, one["role"] == "user", _text(one.get("content")), moment(one.get("timestamp")))


def _text(content: Any) -> str:
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(text(part) for part in parts)
    return text(content)
