"""Conversations as the contract says them, and the pages of a list."""

import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.validation import validate
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert.requests import made_id
from services.chat_svc.domain.changes import ConversationChange
from services.chat_svc.domain.character import is_name
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.finding import Filter
from services.chat_svc.domain.group import ANSWERS, Group, TurnOrder, seeded
from services.chat_svc.domain.unseen import is_blank

CONVERSATIONS_PAGE = 20

NAME = re.compile(r"conversations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHANGEABLE = frozenset({"display_name", "archived", "group"})
# A change names no character; what checks the other fields wants one.
STAND_IN = "characters/anybody"

# What is not said is the first one.
TURN_ORDERS = {
    chat_pb2.TURN_ORDER_UNSPECIFIED: TurnOrder.NATURAL,
    chat_pb2.TURN_ORDER_NATURAL: TurnOrder.NATURAL,
    chat_pb2.TURN_ORDER_LIST: TurnOrder.LIST,
    chat_pb2.TURN_ORDER_POOLED: TurnOrder.POOLED,
    chat_pb2.TURN_ORDER_MANUAL: TurnOrder.MANUAL,
}


def conversation_id(name: str) -> UUID:
    """The id in `conversations/{uuid}` and in the names of what is in it."""
    return UUID(name.split("/")[1])


def filter_from_proto(request: chat_pb2.ListConversationsRequest) -> Filter:
    return Filter(request.archived, request.character, request.query.strip())


def conversations_after(
    user: str, request: chat_pb2.ListConversationsRequest
) -> tuple[tuple[datetime, UUID] | None, int]:
    """What the page goes on behind (when it was used last, id), None for the first page; and the page's size."""
    size = request.page_size or CONVERSATIONS_PAGE
    position = pages.position(_conversations_scope(user, request), request.page_token, 2)
    if position is None:
        return None, size
    try:
        used_at = datetime.fromisoformat(position[0])
        if used_at.tzinfo is None:
            raise bad_page_token()
        return (used_at.astimezone(UTC), UUID(position[1])), size
    except (ValueError, OverflowError):
        raise bad_page_token() from None


def conversations_to_proto(
    user: str, request: chat_pb2.ListConversationsRequest, conversations: list[Conversation], size: int
) -> chat_pb2.ListConversationsResponse:
    """One page of `conversations`, which hold one more than the page when there is a next one."""
    token = ""
    if len(conversations) > size:
        last = conversations[size - 1]
        token = pages.token(_conversations_scope(user, request), [last.updated_at.isoformat(), str(last.id)])
    return chat_pb2.ListConversationsResponse(
        conversations=[conversation_to_proto(one) for one in conversations[:size]], next_page_token=token
    )


def conversation_from_proto(
    user: str, request: chat_pb2.CreateConversationRequest, random: UUID, now: datetime
) -> Conversation:
    """The conversation that somebody wants to open; the same id for the same request."""
    identifier, proto = made_id(user, request.request_id, random), request.conversation
    others = tuple(proto.others)
    if proto.HasField("group") and not others:
        raise bad_field("conversation.group", "is for a conversation with several characters: name the others, too")
    if proto.character in others:
        raise bad_field("conversation.others", "names the first character again")
    title = proto.display_name.strip()
    return Conversation(
        user,
        identifier,
        proto.character,
        title,
        0,
        created_at=now,
        updated_at=now,
        others=others,
        group=seeded(group_from_proto(proto.group), identifier) if others else None,
        titled=title != "",
    )


def change_from_proto(request: chat_pb2.UpdateConversationRequest) -> tuple[UUID, ConversationChange]:
    """Which conversation, and what becomes of it. Of the fields only those that the mask names must be right."""
    proto, paths = request.conversation, frozenset(request.update_mask.paths)
    if not NAME.fullmatch(proto.name):
        raise bad_field("conversation.name", "must be conversations/{uuid}")
    check_mask(paths, CHANGEABLE)
    named = chat_pb2.Conversation(character=STAND_IN, display_name=proto.display_name)
    for path in CHANGEABLE - paths:
        named.ClearField(path)
    if "group" in paths:
        named.group.CopyFrom(proto.group)
    validate(chat_pb2.CreateConversationRequest(conversation=named))
    change = ConversationChange(
        display_name=proto.display_name.strip() if "display_name" in paths else None,
        archived=proto.archived if "archived" in paths else None,
        group=group_from_proto(proto.group) if "group" in paths else None,
    )
    return conversation_id(proto.name), change


def check_mask(paths: Collection[str], allowed: Collection[str]) -> None:
    """InvalidArgument for a mask that names what cannot be changed."""
    if others := sorted(set(paths) - set(allowed)):
        raise bad_field("update_mask", f"may name {', '.join(sorted(allowed))}, not {', '.join(others)}")


def conversation_to_proto(conversation: Conversation) -> chat_pb2.Conversation:
    return chat_pb2.Conversation(
        name=conversation.name,
        character=conversation.character,
        display_name=conversation.display_name,
        message_count=conversation.message_count,
        create_time=timestamp(conversation.created_at),
        update_time=timestamp(conversation.updated_at),
        others=conversation.others,
        group=_group_to_proto(conversation.group) if conversation.group else None,
        archived=conversation.archived,
        current_message=f"{conversation.name}/messages/{conversation.current}" if conversation.current else "",
        summary=conversation.summary,
        forked_from=f"conversations/{conversation.forked_from}" if conversation.forked_from else "",
        token_count=conversation.token_count,
    )


def group_from_proto(proto: chat_pb2.Group) -> Group:
    """The settings of a group; InvalidArgument for talkativeness of what is no character."""
    answers = proto.answers_max or ANSWERS
    if not all(is_name(one) for one in proto.talkativeness):
        fault = "must go by characters' names, as characters/sherlock-holmes"
        raise bad_field("conversation.group.talkativeness", fault)
    return Group(
        turn_order=TURN_ORDERS[proto.turn_order],
        talkativeness=dict(proto.talkativeness),
        answers_max=answers,
        credits_max=proto.credits_max or answers,
        self_replies=proto.self_replies,
        pause_seconds=proto.pause_seconds,
        seed=proto.seed,
    )


def _group_to_proto(group: Group) -> chat_pb2.Group:
    return chat_pb2.Group(
        turn_order=next(told for told, order in reversed(TURN_ORDERS.items()) if order is group.turn_order),
        talkativeness=group.talkativeness,
        answers_max=group.answers_max,
        credits_max=group.credits_max,
        self_replies=group.self_replies,
        pause_seconds=group.pause_seconds,
        seed=group.seed,
    )


def timestamp(at: datetime) -> Timestamp:
    proto = Timestamp()
    proto.FromDatetime(at)
    return proto


def bad_page_token() -> InvalidArgument:
    """The error of a page token that this query never gave."""
    fault = Violation("page_token", "is not the next_page_token of this query")
    return InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])


def _conversations_scope(user: str, request: chat_pb2.ListConversationsRequest) -> str:
    """The list that a page is of. Its filter is a digest: it may be longer than a page token."""
    wanted = filter_from_proto(request)
    name = f"users/{user}/conversations"
    return name if wanted == Filter() else f"{name} {digest(wanted.archived, wanted.character, wanted.query)}"


def digest(*parts: object) -> str:
    """A short name for a query."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def check_said(field: str, text: str) -> None:
    """InvalidArgument for a text of which nobody sees anything: it says nothing, and would cost as much as another."""
    if is_blank(text):
        raise bad_field(field, "must not be blank")


def bad_field(field: str, description: str) -> InvalidArgument:
    """The error of a field that breaks a rule which the contract has only in words."""
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])
