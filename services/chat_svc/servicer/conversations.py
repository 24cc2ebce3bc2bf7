"""The RPCs of ChatService about whole conversations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
from google.protobuf import empty_pb2

from runtime.context import caller
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.domain.conversation import greeted, named
from services.chat_svc.domain.forking import Fork, fork_id
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class ConversationRpcs(chat_pb2_grpc.ChatServiceServicer):
    """Opening, reading, changing and closing them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def CreateConversation(
        self, request: chat_pb2.CreateConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        user, now = caller().person(), self._parts.clock()
        wanted = convert.conversation_from_proto(user, request, self._parts.new_id(), now)
        characters = self._parts.characters
        conversation = named(wanted, await characters.display_names(user, wanted.cast))
        greeting = greeted(conversation, await characters.greeting(user, conversation.character), self._parts.new_id())
        if greeting is not None:
            conversation = replace(conversation, message_count=1, current=greeting.id)
        messages = [] if greeting is None else [greeting]
        opened = self._parts.announcing.opened(conversation)
        return convert.conversation_to_proto(await self._parts.told.add(conversation, messages, opened))

    async def GetConversation(
        self, request: chat_pb2.GetConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        identifier = convert.conversation_id(request.name)
        return convert.conversation_to_proto(
            await self._parts.conversations.conversation(caller().person(), identifier)
        )

    async def ListConversations(
        self, request: chat_pb2.ListConversationsRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListConversationsResponse:
        user = caller().person()
        after, size = convert.conversations_after(user, request)
        found = await self._parts.conversations.page(user, after, size + 1, convert.filter_from_proto(request))
        return convert.conversations_to_proto(user, request, found, size)

    async def UpdateConversation(
        self, request: chat_pb2.UpdateConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        user, characters = caller().person(), self._parts.characters
        identifier, change = convert.change_from_proto(request)
        conversation = await self._parts.conversations.conversation(user, identifier)
        untitled = replace(conversation, display_name="")
        names = await characters.remembered_names(user, conversation.cast) if change.display_name == "" else {}
        title = named(untitled, list(names.values())).display_name
        changed = await self._parts.conversations.change(user, identifier, change, title)
        return convert.conversation_to_proto(changed)

    async def DeleteConversation(
        self, request: chat_pb2.DeleteConversationRequest, context: Context[Any, Any]
    ) -> empty_pb2.Empty:
        await self._parts.deleting.conversation(caller().person(), convert.conversation_id(request.name))
        return empty_pb2.Empty()

    async def ForkConversation(
        self, request: chat_pb2.ForkConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        identifier = convert.conversation_id(request.name)
        fork = Fork(
            fork_id(identifier, request.request_id, self._parts.new_id()),
            messages_convert.message_id(request.name),
            request.all_branches,
            request.display_name.strip(),
            self._parts.clock(),
        )
        user, announced = caller().person(), self._parts.announcing.opened
        return convert.conversation_to_proto(await self._parts.forks.fork(user, identifier, fork, announced))

    async def ChooseBranch(
        self, request: chat_pb2.ChooseBranchRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        identifier, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        return convert.conversation_to_proto(await self._parts.branches.choose(caller().person(), identifier, message))
