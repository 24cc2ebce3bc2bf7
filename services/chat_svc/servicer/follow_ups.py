"""What the person might say next."""

from __future__ import annotations

from typing import Any

import grpc

from runtime.context import caller
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class FollowUpRpcs(chat_pb2_grpc.ChatServiceServicer):
    """Suggestions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListFollowUps(
        self, request: chat_pb2.ListFollowUpsRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListFollowUpsResponse:
        conversation = convert.conversation_id(request.parent)
        message = messages_convert.message_id(request.parent)
        follow_ups = await self._parts.suggesting.follow_ups(caller().person(), conversation, message)
        return chat_pb2.ListFollowUpsResponse(follow_ups=follow_ups)
