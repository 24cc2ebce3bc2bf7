"""What the other services are told, as events on their way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message as Proto

from runtime.context import request_id
from runtime.events.envelope import envelope
from scenemesh.events.v1 import chat_pb2
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message, State


class Announcing:
    """`new_id` gives an event's id."""

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id

    def opened(self, conversation: Conversation) -> Envelope:
        """`conversation.created`."""
        data = chat_pb2.ConversationCreated(conversation=conversation.name, characters=conversation.cast)
        return self._sealed("conversation.created", conversation.user, data, conversation.created_at)

    def ended(self, answer: Message, now: datetime) -> Envelope:
        """`message.completed` or `message.failed`."""
        if answer.state is State.COMPLETE:
            return self._sealed("message.completed", answer.user, _completed(answer), now)
        return self._sealed("message.failed", answer.user, _failed(answer), now)

    def _sealed(self, event_type: str, user: str, data: Proto, now: datetime) -> Envelope:
        return envelope(event_type, f"users/{user}", data, now, self._new_id(), request_id())


def _completed(answer: Message) -> chat_pb2.MessageCompleted:
    return chat_pb2.MessageCompleted(
        message=answer.name,
        character=answer.character,
        model=answer.model,
        input_tokens=answer.usage.input_tokens if answer.usage else 0,
        output_tokens=answer.usage.output_tokens if answer.usage else 0,
        meter=answer.meter,
        charged=answer.charged,
    )


def _failed(answer: Message) -> chat_pb2.MessageFailed:
    return chat_pb2.MessageFailed(
        message=answer.name,
        character=answer.character,
        model=answer.model,
        reason=answer.failure.name if answer.failure else "",
        meter=answer.meter,
        charged=answer.charged,
    )
