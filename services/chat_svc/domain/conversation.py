"""Conversations, their messages, and what is known of an answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.fault import FailureReason
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


@dataclass(frozen=True)
class Conversation:
    """One person's conversation with one character."""

    user: str
    id: UUID
    character: str
    display_name: str
    message_count: int
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return f"conversations/{self.id}"


@dataclass(frozen=True)
class Message:
    """One message. The fields after `created_at` are those of an answer.

    `log` are the entries that it came in. `charged` is what the person pays once the hold is resolved, in units of
    `meter`, of which a turn costs `price`. `prompt_tokens` is an estimate.
    """

    user: str
    conversation: UUID
    id: UUID
    position: int
    role: Role
    text: str
    state: State
    created_at: datetime
    model: str = ""
    log: tuple[Entry, ...] = ()
    usage: Usage | None = None
    finish: FinishReason | None = None
    failure: FailureReason | None = None
    charged: int = 0
    hold: str = ""
    meter: str = METER
    price: int = 1
    prompt_tokens: int = 0
    spent: Spent = field(default_factory=Spent)

    @property
    def name(self) -> str:
        return f"conversations/{self.conversation}/messages/{self.id}"


def answer_id(conversation: UUID, request_id: str, random: UUID) -> UUID:
    """The id of the answer to a request: the same for a retry with the same `request_id`, `random` without one."""
    return uuid.uuid5(conversation, request_id.lower()) if request_id else random
