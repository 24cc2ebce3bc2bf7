"""Messages at random, seeded: whatever they say, the answer is an answer or a refusal that names what is wrong."""

from __future__ import annotations

from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from runtime.contract import message_class
from scenemesh.search.v1 import search_pb2
from services.search_svc.servicer.search import SERVICE
from tests.harness.serving import Dial

METHODS = list(search_pb2.DESCRIPTOR.services_by_name["SearchService"].methods)
MESSAGES = 300
REFUSALS = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}

WORDS = (
    "the",
    "dark kn",
    "sherlok",
    "harry",
    "千と",
    "é",
    "Ω",
    "\u202e",
    "🦇",
    "\x07",
    "\u0301",
    "ﬁ",
    "ß",
    "-",
    "'",
    "\u200b",
)
TEXTS = ("", "titles/the-matrix", "characters/x", "titles/../x", "WyJ4IiwiMSJd", "x" * 300, "%", "\\", "a\tb\nc")
NUMBERS = (0, 1, -1, 7, 50, 51, 1999, 2**31 - 1, -(2**31))


def _text(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(TEXTS)
    if random.random() < 0.2:
        return "".join(
            chr(random.choice((random.randrange(1, 0xD800), random.randrange(0xE000, 0x110000)))) for _ in range(9)
        )
    return random.choice((" ", "")).join(random.choices(WORDS, k=random.randrange(1, 30)))


def _value(field: FieldDescriptor, random: Random) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _text(random)
        case FieldDescriptor.TYPE_BOOL:
            return random.random() < 0.5
        case FieldDescriptor.TYPE_ENUM:
            return random.randrange(-1, 9)
        case _:
            return random.choice(NUMBERS)


def _message(kind: Descriptor, random: Random) -> Message:
    message = message_class(kind)()
    for field in kind.fields:
        if random.random() < 0.4:
            continue
        if field.message_type is not None:
            getattr(message, field.name).CopyFrom(_message(field.message_type, random))
        elif field.is_repeated:
            getattr(message, field.name).extend(_value(field, random) for _ in range(random.randrange(4)))
        else:
            setattr(message, field.name, _value(field, random))
    return message


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_no_message_is_a_defect(dial: Dial, method: Any) -> None:
    random = Random(method.name)
    path = f"/{SERVICE}/{method.name}"
    outcomes = set()
    for _ in range(MESSAGES):
        sent = _message(method.input_type, random).SerializeToString()
        try:
            if method.server_streaming:
                stream: Any = dial("edge").stream_stream(path)
                _ = [part async for part in stream(iter([sent]), timeout=60)]
            else:
                unary: Any = dial("edge").unary_unary(path)
                await unary(sent, timeout=60)
            outcomes.add(grpc.StatusCode.OK)
        except grpc.aio.AioRpcError as error:
            assert "Traceback" not in str(error.details())
            outcomes.add(error.code())
    assert outcomes <= REFUSALS
    assert grpc.StatusCode.INVALID_ARGUMENT in outcomes
