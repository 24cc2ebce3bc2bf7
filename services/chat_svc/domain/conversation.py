"""Conversations, their messages, and what is known of an answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import accumulate, pairwise
from uuid import UUID

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


class FinishReason(Enum):
    """Why a model stopped by itself."""

    STOP = "stop"
    LENGTH = "length"


class FailureReason(Enum):
    """Why an answer ended early."""

    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_CUT = "model_cut"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Usage:
    """Tokens that an answer used; `estimated` when the model reported none."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False


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

    `delta_lengths` are the characters of each piece that it came in: they and the text give its log again. `charged` is
    what the person pays once the hold is resolved, in units of `meter`, of which a turn costs `price`. `prompt_tokens`
    is an estimate.
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
    delta_lengths: tuple[int, ...] = ()
    usage: Usage | None = None
    finish: FinishReason | None = None
    failure: FailureReason | None = None
    charged: int = 0
    hold: str = ""
    meter: str = METER
    price: int = 1
    prompt_tokens: int = 0

    @property
    def name(self) -> str:
        return f"conversations/{self.conversation}/messages/{self.id}"

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text as it was streamed."""
        ends = accumulate(self.delta_lengths, initial=0)
        return tuple(self.text[start:end] for start, end in pairwise(ends))


def answer_id(conversation: UUID, request_id: str, random: UUID) -> UUID:
    """The id of the answer to a request: the same for a retry with the same `request_id`, `random` without one."""
    return uuid.uuid5(conversation, request_id.lower()) if request_id else random
