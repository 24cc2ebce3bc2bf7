"""The RPCs of ChatService about single messages."""

from __future__ import annotations

from typing import Any

import grpc

from runtime.context import caller
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import history as history_convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class MessageRpcs(chat_pb2_grpc.ChatServiceServicer):
    """Reading, changing, finding and deleting them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListMessages(
        self, request: chat_pb2.ListMessagesRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListMessagesResponse:
        after, size = messages_convert.messages_after(request)
        conversation = await self._parts.conversations.conversation(
            caller().person(), convert.conversation_id(request.parent)
        )
        user, identifier, pinned = conversation.user, conversation.id, request.pinned
        if request.all_branches:
            found = await self._parts.messages.page(user, identifier, after, size + 1, pinned=pinned)
        else:
            leaf = conversation.current
            found = await self._parts.messages.branch_page(user, identifier, leaf, after, size + 1, pinned=pinned)
        messages = [await self._parts.watching.so_far(message) for message in found]
        return messages_convert.messages_to_proto(request, messages, size)

    async def GetMessage(self, request: chat_pb2.GetMessageRequest, context: Context[Any, Any]) -> chat_pb2.Message:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        found = await self._parts.messages.get(caller().person(), conversation, message)
        return messages_convert.message_to_proto(await self._parts.watching.so_far(found))

    async def UpdateMessage(
        self, request: chat_pb2.UpdateMessageRequest, context: Context[Any, Any]
    ) -> chat_pb2.Message:
        conversation, message, change = history_convert.change_from_proto(request)
        changed = await self._parts.messages.change(
            caller().person(), conversation, message, change, self._parts.clock()
        )
        return messages_convert.message_to_proto(await self._parts.watching.so_far(changed))

    async def DeleteMessage(
        self, request: chat_pb2.DeleteMessageRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        return convert.conversation_to_proto(
            await self._parts.deleting.message(caller().person(), conversation, message)
        )

    async def SearchMessages(
        self, request: chat_pb2.SearchMessagesRequest, context: Context[Any, Any]
    ) -> chat_pb2.SearchMessagesResponse:
        user = caller().person()
        after, size = history_convert.matches_after(user, request)
        search = history_convert.search_from_proto(request)
        matches = await self._parts.history.found(user, search, after, size + 1)
        return history_convert.matches_to_proto(user, request, matches, size)
