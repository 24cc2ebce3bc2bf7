"""One answer as it comes, whole even when connections break."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import grpc

from cli.client import Client
from cli.failures import Failure, unknown
from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub

# Before each new attempt to go on with an answer whose connection broke.
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
ANSWER_SECONDS = 300.0

TERMINAL = frozenset({"finished", "failed"})
# How a broken connection looks, unless a service says so; of what is UNAVAILABLE, that does not matter.
BROKEN = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)


async def events(
    client: Client,
    channel: grpc.aio.Channel,
    conversation: str,
    text: str,
    pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    *,
    model: str = "",
) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    """Says `text` and gives the events of the answer, each once; in a group those of every answer of the round.

    `model` is who should answer, by its id; empty to have one chosen.

    Goes on from the last event after a connection broke, as often as there are pauses; Failure when that was in vain.
    """
    request = chat_pb2.SendMessageRequest(parent=conversation, text=text, request_id=str(uuid.uuid4()))
    if model:
        request.choice.model = model
    stub, pauses = ChatServiceStub(channel), iter(pauses_seconds)
    call: grpc.aio.UnaryStreamCall[Any, chat_pb2.ChatEvent] = stub.SendMessage(
        request, timeout=ANSWER_SECONDS, metadata=client.metadata
    )
    last, watching = chat_pb2.ChatEvent(), False
    while True:
        broken = None
        try:
            async with reading(call) as heard:
                async for event in heard:
                    if event.message == last.message and event.number <= last.number:
                        if event.HasField("delayed"):
                            yield event
                        continue
                    last = event
                    yield event
                    if event.WhichOneof("event") in TERMINAL and not following(event):
                        return
        except grpc.aio.AioRpcError as error:
            broken = error
        behind = following(last)
        ended_early = not watching if broken is None else broken.code() is grpc.StatusCode.NOT_FOUND
        if behind and ended_early:
            return
        if broken is not None and (not last.message or not _broke(broken)):
            raise broken
        if broken is not None or not behind:
            pause_seconds = next(pauses, None)
            if pause_seconds is None and broken is not None:
                raise broken
            if pause_seconds is None or not last.message:
                raise Failure("The answer broke off.", hint="It may go on without us; the conversation keeps it.")
            await asyncio.sleep(pause_seconds)
        watch = chat_pb2.WatchMessageRequest(name=behind or last.message, after=0 if behind else last.number)
        call, watching = stub.WatchMessage(watch, timeout=ANSWER_SECONDS, metadata=client.metadata), True


def following(event: chat_pb2.ChatEvent) -> str:
    """The answer that follows in the round of a group, once an event says that this one is over; empty for none."""
    return event.finished.message.next_message or event.failed.message.next_message


def refused(error: grpc.aio.AioRpcError) -> bool:
    """Whether somebody said no, so that nothing is under way; false where a connection may have broken."""
    return error.code() not in BROKEN or not unknown(error)


def _broke(error: grpc.aio.AioRpcError) -> bool:
    code = error.code()
    return code in BROKEN and (code is grpc.StatusCode.UNAVAILABLE or unknown(error))
