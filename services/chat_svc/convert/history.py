"""What a person changes and finds of what was said, as the contract says it."""

from __future__ import annotations

import re
from uuid import UUID

from runtime import pages
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert.conversations import bad_field, bad_page_token, check_mask, conversation_id, digest
from services.chat_svc.convert.messages import REACTIONS, message_id, message_to_proto
from services.chat_svc.domain.changes import MessageChange
from services.chat_svc.domain.finding import Match, Search

MATCHES_PAGE = 20

# No search goes further, and no number of ours has more digits.
AFTER_DIGITS_MAX = 6

NAME = re.compile(
    r"conversations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/messages/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
CHANGEABLE = frozenset({"text", "pinned", "reaction"})
REACTIONS_MEANT = {told: reaction for reaction, told in REACTIONS.items()}


def change_from_proto(request: chat_pb2.UpdateMessageRequest) -> tuple[UUID, UUID, MessageChange]:
    """The conversation, the message, and what becomes of it."""
    proto, paths = request.message, frozenset(request.update_mask.paths)
    if not NAME.fullmatch(proto.name):
        raise bad_field("message.name", "must be conversations/{uuid}/messages/{uuid}")
    check_mask(paths, CHANGEABLE)
    change = MessageChange(
        text=proto.text if "text" in paths else None,
        pinned=proto.pinned if "pinned" in paths else None,
        reacts="reaction" in paths,
        reaction=REACTIONS_MEANT.get(proto.reaction),
    )
    return conversation_id(proto.name), message_id(proto.name), change


def search_from_proto(request: chat_pb2.SearchMessagesRequest) -> Search:
    return Search(request.query, conversation_id(request.parent) if request.parent else None)


def matches_after(user: str, request: chat_pb2.SearchMessagesRequest) -> tuple[int, int]:
    """How many matches came before the page, and the page's size."""
    position = pages.position(_scope(user, request), request.page_token, 1)
    size = request.page_size or MATCHES_PAGE
    if position is None:
        return 0, size
    if not (position[0].isascii() and position[0].isdigit() and len(position[0]) <= AFTER_DIGITS_MAX):
        raise bad_page_token()
    return int(position[0]), size


def matches_to_proto(
    user: str, request: chat_pb2.SearchMessagesRequest, matches: list[Match], size: int
) -> chat_pb2.SearchMessagesResponse:
    """One page of `matches`, which hold one more than the page when there is a next one."""
    token = ""
    if len(matches) > size:
        after, _ = matches_after(user, request)
        token = pages.token(_scope(user, request), [str(after + size)])
    return chat_pb2.SearchMessagesResponse(matches=[_match(one) for one in matches[:size]], next_page_token=token)


def _match(match: Match) -> chat_pb2.MessageMatch:
    return chat_pb2.MessageMatch(
        message=message_to_proto(match.message),
        conversation_display_name=match.title,
        snippet=match.snippet.text,
        highlights=[chat_pb2.Span(start=start, end=end) for start, end in match.snippet.highlights],
    )


def _scope(user: str, request: chat_pb2.SearchMessagesRequest) -> str:
    return f"messages {digest(user, request.query, request.parent)}"
