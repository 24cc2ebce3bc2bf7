"""What the contract lets a text have passes the edge however it is written, and what is longer is refused by name."""

import json
from typing import Any

import pytest

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Json, Rest, bearer, channel
from tests.e2e.stack import Stack

ANSWER_CHARACTERS_MAX = 64_000
CHARACTERS_MAX = 8_000
# What the edge takes of a request that carries a long text.
BYTES_MAX = 64_000 * 12 + 128 * 1024


async def _sent(rest: Rest, verb: str, path: str, body: bytes) -> tuple[int, Any]:
    answer = await rest.call(verb, path, body)
    return answer.status, answer.body


def _reasons(error: Json) -> list[str]:
    return [one["reason"] for one in error["details"] if "reason" in one]


async def _answer(rest: Rest) -> str:
    events = await rest.turn(await rest.conversation())
    return str(events[-1]["message"])


@pytest.mark.parametrize("character", ["x", "語", "😀"])
@pytest.mark.parametrize("escaped", [True, False])
async def test_an_answer_is_changed_to_the_longest_text(stack: Stack, character: str, escaped: bool) -> None:
    ada = Rest(stack.url, stack.token(user=f"long-{ord(character)}-{escaped}"))
    answer, text = await _answer(ada), character * ANSWER_CHARACTERS_MAX
    body = json.dumps({"text": text}, ensure_ascii=escaped).encode()
    status, changed = await _sent(ada, "PATCH", f"/v1/{answer}?update_mask=text", body)
    assert (status, changed.get("text") == text) == (200, True), changed.get("message")
    kept = await ada.call("GET", f"/v1/{answer}")
    assert kept.body["text"] == text


async def test_an_answer_is_changed_to_the_longest_text_over_grpc(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="long-grpc"))
    message = chat_pb2.Message(name=await _answer(ada), text="😀" * ANSWER_CHARACTERS_MAX)
    async with channel(stack.url) as opened:
        request = chat_pb2.UpdateMessageRequest(message=message, update_mask={"paths": ["text"]})
        changed = await chat_pb2_grpc.ChatServiceStub(opened).UpdateMessage(request, metadata=bearer(ada.token or ""))
    assert changed.text == message.text


async def test_the_longest_message_is_sent_however_it_is_written(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="long-sent"))
    for character in ("語", "😀"):
        events = await ada.turn(await ada.conversation(), character * CHARACTERS_MAX)
        assert events[0]["started"]["user_message"]["text"] == character * CHARACTERS_MAX


async def test_what_is_longer_is_refused_by_name_and_what_is_much_longer_by_size(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="long-over"))
    answer = await _answer(ada)
    over = json.dumps({"text": "語" * (ANSWER_CHARACTERS_MAX + 1)}).encode()
    status, error = await _sent(ada, "PATCH", f"/v1/{answer}?update_mask=text", over)
    fields = [fault["field"] for one in error["details"] for fault in one.get("field_violations", ())]
    assert (status, _reasons(error), fields) == (400, ["INVALID_ARGUMENT"], ["message.text"])
    much = json.dumps({"text": "x" * BYTES_MAX}).encode()
    status, error = await _sent(ada, "PATCH", f"/v1/{answer}?update_mask=text", much)
    assert (status, _reasons(error)) == (413, ["BODY_TOO_LARGE"])
