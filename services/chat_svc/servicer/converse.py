"""The RPC of ChatService that is a whole conversation in one stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from runtime.context import caller
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.parts import Parts
from services.chat_svc.turning.conversing import Conversing

Context = grpc.aio.ServicerContext


class ConverseRpcs(chat_pb2_grpc.ChatServiceServicer):
    """Converse."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def Converse(
        self, request_iterator: AsyncIterator[chat_pb2.ConverseRequest], context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ConverseResponse]:
        conversing = Conversing(self._parts, caller().person())
        async with aclosing(conversing.responses(request_iterator)) as responses:
            async for response in responses:
                yield response
