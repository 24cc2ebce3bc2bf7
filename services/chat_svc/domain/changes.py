"""What a person may change of a conversation and of a message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runtime.errors import InvalidArgument, Violation
from services.chat_svc.domain.conversation import Conversation, Message, Reaction, Role
from services.chat_svc.domain.entry import Began, Said
from services.chat_svc.domain.group import Group, seeded
from services.chat_svc.domain.unseen import is_blank

# What a person says, at most.
TEXT_MAX = 8_000


@dataclass(frozen=True)
class ConversationChange:
    """The fields to change, None for those that stay; an empty `display_name` gives the characters' names back."""

    display_name: str | None = None
    archived: bool | None = None
    group: Group | None = None


@dataclass(frozen=True)
class MessageChange:
    """The fields to change, None for those that stay; `reacts` says that `reaction` is one of them."""

    text: str | None = None
    pinned: bool | None = None
    reacts: bool = False
    reaction: Reaction | None = None


def changed(conversation: Conversation, change: ConversationChange, characters: str) -> Conversation:
    """The conversation after the change; `characters` is what it is called where nobody gives it a title."""
    if change.group is not None and not conversation.others:
        raise _fault("update_mask", "names group, and the conversation has one character")
    if change.display_name is not None:
        titled = change.display_name != ""
        conversation = replace(conversation, display_name=change.display_name or characters, titled=titled)
    return replace(
        conversation,
        archived=conversation.archived if change.archived is None else change.archived,
        group=conversation.group if change.group is None else seeded(change.group, conversation.id),
    )


def edited(message: Message, text: str, at: datetime) -> Message:
    """The message with another text; the log of an answer becomes that of one that said it in one piece."""
    if is_blank(text):
        raise _fault("message.text", "must not be blank")
    if message.role is Role.USER:
        if len(text) > TEXT_MAX:
            raise _fault("message.text", f"must be at most {TEXT_MAX:,} characters")
        return replace(message, text=text, edited_at=at)
    decision = next((entry.decision for entry in message.log if isinstance(entry, Began)), None)
    return replace(message, text=text, edited_at=at, log=(Began(message.model, decision), Said(text)))


def _fault(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])
