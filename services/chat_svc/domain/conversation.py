"""Conversations, their messages, and what is known of an answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.group import Group
from services.chat_svc.domain.outcome import FinishReason, Spent, Usage

# The meter of turns. Where it has nothing left, another one may pay for them.
METER = "chat"


class Role(Enum):
    """Who speaks."""

    USER = "user"
    CHARACTER = "character"


class State(Enum):
    """How far a message is."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    FAILED = "failed"


class Reaction(Enum):
    """What a person thinks of a message."""

    LIKE = "like"
    DISLIKE = "dislike"


@dataclass(frozen=True)
class Conversation:
    """One person's conversation with a character, or with a group of them.

    `current` is the message that the chosen branch ends with; `summary` covers that branch up to `summary_until`.
    `titled` says that somebody gave the display name; otherwise a model may.
    """

    user: str
    id: UUID
    character: str
    display_name: str
    message_count: int
    created_at: datetime
    updated_at: datetime
    others: tuple[str, ...] = ()
    group: Group | None = None
    archived: bool = False
    current: UUID | None = None
    summary: str = ""
    summary_until: UUID | None = None
    forked_from: UUID | None = None
    token_count: int = 0
    titled: bool = True

    @property
    def name(self) -> str:
        return f"conversations/{self.id}"

    @property
    def cast(self) -> tuple[str, ...]:
        """All its characters."""
        return (self.character, *self.others)


@dataclass(frozen=True)
class Message:
    """One message, said after `parent`: a first one where that is None.

    `character` speaks, unless the person does; it is `sibling` of `siblings` that were said after the same one.
    `next` is the answer that follows in the same round of a group. The fields from `model` on are those of an answer.
    `log` are the entries that it came in. `charged` is what the person pays once the hold is resolved, in units of
    `meter`, of which a turn costs `price`; images that were shown cost `images` units of `images_meter` beside that,
    where the answer costs anything. `remaining` are the units that the meter had left once that was paid, None where
    nothing limits it; it is `unpaid` until the hold is resolved. One that is being made is `unmirrored` while other
    processes cannot read what it says. `prompt_tokens` is an estimate.
    """

    user: str
    conversation: UUID
    id: UUID
    position: int
    role: Role
    text: str
    state: State
    created_at: datetime
    parent: UUID | None = None
    character: str = ""
    media: tuple[UUID, ...] = ()
    pinned: bool = False
    reaction: Reaction | None = None
    edited_at: datetime | None = None
    sibling: int = 1
    siblings: int = 1
    next: UUID | None = None
    model: str = ""
    log: tuple[Entry, ...] = ()
    usage: Usage | None = None
    finish: FinishReason | None = None
    failure: FailureReason | None = None
    charged: int = 0
    remaining: int | None = None
    unpaid: bool = False
    unmirrored: bool = False
    hold: str = ""
    meter: str = METER
    price: int = 1
    images: int = 0
    images_meter: str = ""
    prompt_tokens: int = 0
    spent: Spent = field(default_factory=Spent)

    @property
    def name(self) -> str:
        return f"conversations/{self.conversation}/messages/{self.id}"

    def units(self, turns: int) -> int:
        """Units of `meter` that keep so many turns back, with the images where the same meter pays for them."""
        return turns * self.price + (self.images if self.images_meter == self.meter else 0)

    def costs(self) -> dict[str, int]:
        """What the answer costs, in units by meter; nothing where it is not charged."""
        costs = {self.meter: self.charged}
        if self.charged and self.images:
            costs[self.images_meter] = costs.get(self.images_meter, 0) + self.images
        return costs


def named(conversation: Conversation, cast: Sequence[str]) -> Conversation:
    """The conversation, called after its characters where nobody gave it a title."""
    return conversation if conversation.display_name else replace(conversation, display_name=", ".join(cast)[:200])


def next_id(answer: UUID) -> UUID:
    """The id of the answer that follows this one in its round."""
    return uuid.uuid5(answer, "next")


def greeted(conversation: Conversation, text: str, identifier: UUID) -> Message | None:
    """What its character says first; None where that is nothing."""
    if not text:
        return None
    return Message(
        conversation.user,
        conversation.id,
        identifier,
        1,
        Role.CHARACTER,
        text,
        State.COMPLETE,
        conversation.created_at,
        character=conversation.character,
        log=(Began(""), Said(text)),
        finish=FinishReason.STOP,
    )


def answer_id(conversation: UUID, request_id: str, random: UUID) -> UUID:
    """The id of the answer to a request: the same for a retry with the same `request_id`, `random` without one."""
    return uuid.uuid5(conversation, request_id.lower()) if request_id else random
