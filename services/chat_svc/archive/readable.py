"""Files to read: Markdown and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from services.chat_svc.archive.printing import Sheet
from services.chat_svc.domain.conversation import Conversation, Message, Role, State

PERSON = "You"
# What Markdown might take for markup at the beginning of a line, or within one.
MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")
# Of one line alone: what looked for it across empty ones would look at each of them as often as there are any.
HEADING = re.compile(r"(?<![^\n\r])([^\S\n\r]*)(#+(?!\S))")


def markdown(conversation: Conversation, messages: Sequence[Message], names: Mapping[str, str]) -> bytes:
    """The branch as Markdown; `names` are the characters' display names. What was said keeps its own emphasis."""
    parts = [f"# {_escaped(conversation.display_name)}", f"*{_when(conversation)}*"]
    for message in messages:
        pinned = " 📌" if message.pinned else ""
        parts.append(f"**{_escaped(speaker(message, names))}**{pinned}\n\n{_quiet(message.text)}{_cut(message)}")
    return ("\n\n".join(parts) + "\n").encode()


def plain(conversation: Conversation, messages: Sequence[Message], names: Mapping[str, str]) -> bytes:
    """The branch as plain text."""
    parts = [f"{conversation.display_name}\n{_when(conversation)}"]
    parts += [f"{speaker(message, names)}:\n{message.text}{_cut(message)}" for message in messages]
    return ("\n\n".join(parts) + "\n").encode()


def sheet(conversation: Conversation, messages: Sequence[Message], names: Mapping[str, str]) -> Sheet:
    """The branch to be printed."""
    said = [(speaker(message, names), f"{message.text}{_cut(message)}") for message in messages]
    return Sheet(conversation.display_name, _when(conversation), said)


def speaker(message: Message, names: Mapping[str, str]) -> str:
    """Who says a message, as people call them."""
    return PERSON if message.role is Role.USER else names.get(message.character, message.character)


def spoken(messages: Sequence[Message]) -> Iterator[Message]:
    """Those in which anything was said."""
    return (one for one in messages if one.text or one.role is Role.USER)


def _when(conversation: Conversation) -> str:
    return f"{conversation.created_at:%Y-%m-%d %H:%M} UTC"


def _cut(message: Message) -> str:
    return " […]" if message.state is State.FAILED else ""


def _escaped(text: str) -> str:
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def _quiet(text: str) -> str:
    """Characters speak Markdown, but what they say makes no headings and no raw HTML."""
    return HEADING.sub(r"\1\\\2", text.replace("<", "\\<"))
