"""Nobody signs page tokens: what somebody made up is refused."""

from uuid import UUID

import pytest

from runtime import pages
from runtime.errors import InvalidArgument
from scenemesh.chat.v1 import character_pb2, chat_pb2
from services.chat_svc.convert import characters, conversations

ID = str(UUID(int=1))
MADE_UP = [
    ["0001-01-01T00:00:00+14:00", ID],
    ["9999-12-31T23:59:59-14:00", ID],
    ["2026-11-22T12:00:00", ID],
    ["today", ID],
    ["2026-11-22T12:00:00+00:00", "1"],
]


@pytest.mark.parametrize("position", MADE_UP)
def test_a_moment_that_there_is_not_is_refused(position: list[str]) -> None:
    listing = chat_pb2.ListConversationsRequest()
    listing.page_token = pages.token(conversations._conversations_scope("alice", listing), position)
    with pytest.raises(InvalidArgument):
        conversations.conversations_after("alice", listing)
    making = character_pb2.ListCustomCharactersRequest(page_token=pages.token(characters._scope("alice"), position))
    with pytest.raises(InvalidArgument):
        characters.characters_after("alice", making)
