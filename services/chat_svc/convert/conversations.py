"""Conversations as the contract says them, and the pages of a list."""

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.conversation import Conversation

CONVERSATIONS_PAGE = 20


def conversation_id(name: str) -> UUID:
    """The id in `conversations/{uuid}` and in the names of what is in it."""
    return UUID(name.split("/")[1])


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
            raise bad_page_token()
        return (used_at, UUID(position[1])), size
    except ValueError:
        raise bad_page_token() from None


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


def conversation_to_proto(conversation: Conversation) -> chat_pb2.Conversation:
    return chat_pb2.Conversation(
        name=conversation.name,
        character=conversation.character,
        display_name=conversation.display_name,
        message_count=conversation.message_count,
        create_time=timestamp(conversation.created_at),
        update_time=timestamp(conversation.updated_at),
    )


def timestamp(at: datetime) -> Timestamp:
    proto = Timestamp()
    proto.FromDatetime(at)
    return proto


def bad_page_token() -> InvalidArgument:
    """The error of a page token that this query never gave."""
    fault = Violation("page_token", "is not the next_page_token of this query")
    return InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])


def _conversations_scope(user: str) -> str:
    return f"users/{user}/conversations"
