from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

from buf.validate import validate_pb2
from runtime.contract import PACKAGE_ROOT, descriptor_set_path
from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.patterns import SENTENCES
from runtime.interceptors.validation import ITEMS_MAX, validate
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


MANY = 100_000


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (search_pb2.SuggestRequest(query="x", kinds=[0] * MANY), "kinds"),  # type: ignore[list-item]
        (chat_pb2.SendMessageRequest(parent=CONVERSATION, text="x", media=[""] * MANY), "media"),
        (chat_pb2.SendMessageRequest(parent="x", text="x", media=[""] * MANY), "parent"),
        (
            chat_pb2.CreateConversationRequest(
                conversation={
                    "character": "characters/a",
                    "group": {"talkativeness": {str(number): 999 for number in range(MANY)}},
                }
            ),
            "conversation.group.talkativeness",
        ),
    ],
)
def test_of_a_request_with_many_items_the_first_fault_is_told(request_: Message, field: str) -> None:
    assert _violations(request_) == [field]


def test_of_many_strings_that_the_database_cannot_hold_some_are_told() -> None:
    many = chat_pb2.ListMessagesResponse(messages=[{"text": "\0"}] * MANY)
    assert len(_violations(many)) == ITEMS_MAX


def test_a_string_that_the_database_cannot_hold_is_refused() -> None:
    request = chat_pb2.CreateConversationRequest(conversation={"character": "characters/a", "display_name": "a\0b"})
    with pytest.raises(InvalidArgument) as caught:
        validate(request)
    assert caught.value.violations == (Violation("conversation.display_name", "must not contain the NUL character"),)


def test_a_broken_pattern_is_told_in_words() -> None:
    request = chat_pb2.SendMessageRequest(parent="x", text="Hm?", media=["media/1"])
    with pytest.raises(InvalidArgument) as caught:
        validate(request)
    assert caught.value.violations == (
        Violation("parent", "must be a conversation's name, conversations/{uuid}"),
        Violation("media", "must be the name of a file that was sent before, media/{uuid}"),
    )


def test_every_pattern_of_the_contract_has_a_sentence_and_no_other_has_one() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set_path().read_bytes()).file
    ours = [message for file in files if file.package.split(".")[0] == PACKAGE_ROOT for message in file.message_type]
    assert {pattern for message in ours for pattern in _patterns(message)} == set(SENTENCES)


def _patterns(message: descriptor_pb2.DescriptorProto) -> Iterator[str]:
    for field in message.field:
        # Read as bytes once more, so that the extension is known.
        options = descriptor_pb2.FieldOptions.FromString(field.options.SerializeToString())
        yield from _of(options.Extensions[validate_pb2.field])  # type: ignore[index]
    for nested in message.nested_type:
        yield from _patterns(nested)


def _of(rules: validate_pb2.FieldRules) -> Iterator[str]:
    if rules.string.pattern:
        yield rules.string.pattern
    for inner in (rules.repeated.items, rules.map.keys, rules.map.values):
        if inner.ByteSize():
            yield from _of(inner)
