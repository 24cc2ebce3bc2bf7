"""LibreChat's export of a conversation: its messages as a tree, or as a list in which each names its parent."""

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

# What the first messages name as their parent.
ROOT = "00000000-0000-0000-0000-000000000000"


def read(content: bytes) -> Told:
    """The conversation of a file, or several where it is a list."""
    found = parsed(content)
    return each(found if isinstance(found, list) else [found], _story)


def _story(value: Any) -> Story:
    title = line(value.get("title"))
    tree = value.get("messagesTree")
    messages = tree if isinstance(tree, list) else value.get("messages")
    if messages is None:
        raise Untold(title, "It holds no messages.")
    # A list may hold trees, too.
    told = list(_walked(messages))
    keys = {key_of(one["messageId"]) for one in told}
    lines = ordered((_line(one, keys) for one in told), title)
    made_at, used_at = moment(value.get("createdAt")), moment(value.get("updatedAt"))
    return Story(title, lines, newest(lines), made_at, updated_at=used_at)


def _walked(tree: list[Any]) -> Iterator[Any]:
    """Every message of a tree, parents first."""
    waiting = list(reversed(tree))
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(one.get("children") or [])


def _line(one: Any, keys: set[str]) -> Line:
    parent = parent_of(one.get("parentMessageId"))
    return Line(
        key_of(one["messageId"]),
        parent if parent != ROOT and parent in keys else None,
        bool(one.get("isCreatedByUser")),
        _text(one),
        moment(one.get("createdAt")),
    )


def _text(one: Any) -> str:
    """What was said: plainly, or in parts of which some are text."""
    parts = one.get("content")
    if one.get("text") or not isinstance(parts, list):
        return text(one.get("text"))
    said = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    return "\n".join(text(piece.get("value") if isinstance(piece, dict) else piece) for piece in said)
