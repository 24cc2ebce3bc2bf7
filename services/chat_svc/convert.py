"""Conversations, messages and events as the contract says them."""

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.conversation import (
    Conversation,
    FailureReason,
    FinishReason,
    Message,
    Role,
    State,
    Usage,
)
from services.chat_svc.domain.ending import DESCRIPTIONS
from services.chat_svc.domain.log import Delta, Ended, Event, Started

CONVERSATIONS_PAGE = 20
MESSAGES_PAGE = 50

# Positions are integers of the database.
POSITION_MAX = 2**31 - 1

ROLES = {Role.USER: chat_pb2.ROLE_USER, Role.CHARACTER: chat_pb2.ROLE_CHARACTER}
STATES = {
    State.STREAMING: chat_pb2.MESSAGE_STATE_STREAMING,
    State.COMPLETE: chat_pb2.MESSAGE_STATE_COMPLETE,
    State.FAILED: chat_pb2.MESSAGE_STATE_FAILED,
}
FINISH_REASONS = {
    FinishReason.STOP: chat_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: chat_pb2.FINISH_REASON_LENGTH,
}
FAILURE_REASONS = {
    FailureReason.MODEL_UNAVAILABLE: chat_pb2.FAILURE_REASON_MODEL_UNAVAILABLE,
    FailureReason.MODEL_CUT: chat_pb2.FAILURE_REASON_MODEL_CUT,
    FailureReason.INTERRUPTED: chat_pb2.FAILURE_REASON_INTERRUPTED,
    FailureReason.REFUSED: chat_pb2.FAILURE_REASON_REFUSED,
}


def conversation_id(name: str) -> UUID:
    """The id in `conversations/{uuid}` and in the names of what is in it."""
    return UUID(name.split("/")[1])


def message_id(name: str) -> UUID:
    """The id in `conversations/{uuid}/messages/{uuid}`."""
    return UUID(name.split("/")[3])


def conversations_after(
    user: str, request: chat_pb2.ListConversationsRequest
) -> tuple[tuple[datetime, UUID] | None, int]:
    """What the page goes on behind (when it was used last, id), None for the first page; and the page's size."""
    size = request.page_size or CONVERSATIONS_PAGE
    position = pages.position(_conversations_scope(user), request.page_token, 2)
    if position is None:
        return None, size
    try:
        used_at = datetime.fromisoformat(position[0])
        if used_at.tzinfo is None:
            raise _bad_token()
        return (used_at, UUID(position[1])), size
    except ValueError:
        raise _bad_token() from None


def messages_after(request: chat_pb2.ListMessagesRequest) -> tuple[int, int]:
    """The place in the conversation that the page goes on behind, and the page's size."""
    size = request.page_size or MESSAGES_PAGE
    position = pages.position(_messages_scope(request.parent), request.page_token, 1)
    if position is None:
        return 0, size
    if not (position[0].isascii() and position[0].isdigit() and int(position[0][:11]) <= POSITION_MAX):
        raise _bad_token()
    return int(position[0]), size


def conversations_to_proto(
    user: str, conversations: list[Conversation], size: int
) -> chat_pb2.ListConversationsResponse:
    """One page of `conversations`, which hold one more than the page when there is a next one."""
    token = ""
    if len(conversations) > size:
        last = conversations[size - 1]
        token = pages.token(_conversations_scope(user), [last.updated_at.isoformat(), str(last.id)])
    return chat_pb2.ListConversationsResponse(
        conversations=[conversation_to_proto(one) for one in conversations[:size]], next_page_token=token
    )


def messages_to_proto(parent: str, messages: list[Message], size: int) -> chat_pb2.ListMessagesResponse:
    """One page of `messages`, which hold one more than the page when there is a next one."""
    token = ""
    if len(messages) > size:
        token = pages.token(_messages_scope(parent), [str(messages[size - 1].position)])
    return chat_pb2.ListMessagesResponse(
        messages=[message_to_proto(one) for one in messages[:size]], next_page_token=token
    )


def conversation_to_proto(conversation: Conversation) -> chat_pb2.Conversation:
    return chat_pb2.Conversation(
        name=conversation.name,
        character=conversation.character,
        display_name=conversation.display_name,
        message_count=conversation.message_count,
        create_time=_timestamp(conversation.created_at),
        update_time=_timestamp(conversation.updated_at),
    )


def message_to_proto(message: Message) -> chat_pb2.Message:
    return chat_pb2.Message(
        name=message.name,
        role=ROLES[message.role],
        text=message.text,
        state=STATES[message.state],
        model=message.model,
        usage=_usage(message.usage),
        failure_reason=FAILURE_REASONS[message.failure] if message.failure else None,
        create_time=_timestamp(message.created_at),
    )


def event_to_proto(event: Event) -> chat_pb2.ChatEvent:
    proto = chat_pb2.ChatEvent(message=event.message, number=event.number)
    match event.what:
        case Started(question, model):
            proto.started.CopyFrom(chat_pb2.Started(user_message=message_to_proto(question), model=model))
        case Delta(text):
            proto.delta.text = text
        case Ended(answer) if answer.finish is not None:
            finished = chat_pb2.Finished(
                reason=FINISH_REASONS[answer.finish], message=message_to_proto(answer), receipt=_receipt(answer)
            )
            proto.finished.CopyFrom(finished)
        case Ended(answer):
            proto.failed.CopyFrom(_failed(answer))
    return proto


def _failed(answer: Message) -> chat_pb2.Failed:
    assert answer.failure is not None  # noqa: S101 (the schema says so)
    return chat_pb2.Failed(
        reason=FAILURE_REASONS[answer.failure],
        description=DESCRIPTIONS[answer.failure],
        message=message_to_proto(answer),
        receipt=_receipt(answer),
    )


def _receipt(answer: Message) -> chat_pb2.Receipt:
    return chat_pb2.Receipt(meter=answer.meter, charged=answer.charged, usage=_usage(answer.usage))


def _usage(usage: Usage | None) -> chat_pb2.TokenUsage | None:
    if usage is None:
        return None
    return chat_pb2.TokenUsage(
        input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, estimated=usage.estimated
    )


def _timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def _conversations_scope(user: str) -> str:
    return f"users/{user}/conversations"


def _messages_scope(parent: str) -> str:
    return f"{parent}/messages"


def _bad_token() -> InvalidArgument:
    fault = Violation("page_token", "is not the next_page_token of this query")
    return InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
