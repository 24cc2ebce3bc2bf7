import pytest

from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.validation import validate
from scenemesh.chat.v1 import chat_pb2
from scenemesh.search.v1 import search_pb2

CONVERSATION = "conversations/00000000-0000-4000-8000-000000000000"


def _violations(message: object) -> list[str]:
    with pytest.raises(InvalidArgument) as caught:
        validate(message)  # type: ignore[arg-type]
    return [violation.field for violation in caught.value.violations]


def test_a_sound_request_passes() -> None:
    validate(chat_pb2.SendMessageRequest(parent=CONVERSATION, text="Who are you?"))


def test_every_fault_is_named_by_its_path() -> None:
    assert _violations(chat_pb2.SendMessageRequest(parent="x", request_id="y")) == ["parent", "text", "request_id"]
    assert _violations(chat_pb2.CreateConversationRequest(conversation={"character": "X"})) == [
        "conversation.character"
    ]


def test_the_limit_itself_passes_and_one_more_does_not() -> None:
    validate(chat_pb2.SendMessageRequest(parent=CONVERSATION, text="x" * 8000))
    assert _violations(chat_pb2.SendMessageRequest(parent=CONVERSATION, text="x" * 8001)) == ["text"]


def test_an_unknown_enum_value_is_refused() -> None:
    assert _violations(search_pb2.SuggestRequest(query="x", kinds=[99])) == ["kinds"]  # type: ignore[list-item]


def test_a_string_that_the_database_cannot_hold_is_refused() -> None:
    request = chat_pb2.CreateConversationRequest(conversation={"character": "characters/a", "display_name": "a\0b"})
    with pytest.raises(InvalidArgument) as caught:
        validate(request)
    assert caught.value.violations == (Violation("conversation.display_name", "must not contain the NUL character"),)
