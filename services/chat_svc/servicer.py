"""The RPCs of ChatService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import grpc

from runtime.context import caller
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.convert import models as models_convert
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.model import classes
from services.chat_svc.estimating import Estimating
from services.chat_svc.router import Router
from services.chat_svc.siblings import PREMIUM_METER, Characters, Quota
from services.chat_svc.stopping import Stopping
from services.chat_svc.store import Answers, Conversations
from services.chat_svc.turns import Turns
from services.chat_svc.watching import Watching

SERVICE = "scenemesh.chat.v1.ChatService"

Context = grpc.aio.ServicerContext


class ChatServicer(chat_pb2_grpc.ChatServiceServicer):
    """`clock` gives the present in UTC, `new_id` an id for a conversation."""

    def __init__(
        self,
        conversations: Conversations,
        answers: Answers,
        characters: Characters,
        turns: Turns,
        watching: Watching,
        stopping: Stopping,
        estimating: Estimating,
        quota: Quota,
        router: Router,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._conversations = conversations
        self._answers = answers
        self._characters = characters
        self._turns = turns
        self._watching = watching
        self._stopping = stopping
        self._estimating = estimating
        self._quota = quota
        self._router = router
        self._clock = clock
        self._new_id = new_id

    async def CreateConversation(
        self, request: chat_pb2.CreateConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        wanted = request.conversation
        persona = await self._characters.persona(wanted.character)
        display_name, now = wanted.display_name or persona.display_name, self._clock()
        conversation = Conversation(
            caller().person(), self._new_id(), wanted.character, display_name, 0, created_at=now, updated_at=now
        )
        await self._conversations.add(conversation)
        return convert.conversation_to_proto(conversation)

    async def GetConversation(
        self, request: chat_pb2.GetConversationRequest, context: Context[Any, Any]
    ) -> chat_pb2.Conversation:
        identifier = convert.conversation_id(request.name)
        return convert.conversation_to_proto(await self._conversations.conversation(caller().person(), identifier))

    async def ListConversations(
        self, request: chat_pb2.ListConversationsRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListConversationsResponse:
        user = caller().person()
        after, size = convert.conversations_after(user, request)
        return convert.conversations_to_proto(user, await self._conversations.page(user, after, size + 1), size)

    async def ListMessages(
        self, request: chat_pb2.ListMessagesRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListMessagesResponse:
        after, size = messages_convert.messages_after(request)
        conversation = await self._conversations.conversation(
            caller().person(), convert.conversation_id(request.parent)
        )
        found = await self._conversations.messages(conversation.user, conversation.id, after, size + 1)
        messages = [await self._watching.so_far(message) for message in found]
        return messages_convert.messages_to_proto(request.parent, messages, size)

    async def ListModels(
        self, request: chat_pb2.ListModelsRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListModelsResponse:
        premium = await self._quota.admits(caller().person(), PREMIUM_METER)
        return models_convert.models_to_proto(self._router.listing(classes(premium=premium)))

    async def SendMessage(
        self, request: chat_pb2.SendMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        conversation = convert.conversation_id(request.parent)
        begun = await self._turns.begin(caller().person(), conversation, messages_convert.wish_from_proto(request))
        async with aclosing(self._watching.events(begun, after=0)) as events:
            async for event in events:
                yield messages_convert.event_to_proto(event)

    async def StopMessage(self, request: chat_pb2.StopMessageRequest, context: Context[Any, Any]) -> chat_pb2.Message:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        begun = await self._answers.get(caller().person(), conversation, message)
        return messages_convert.message_to_proto(await self._stopping.stop(begun.answer))

    async def EstimateTurn(
        self, request: chat_pb2.EstimateTurnRequest, context: Context[Any, Any]
    ) -> chat_pb2.TurnEstimate:
        conversation, choice = convert.conversation_id(request.parent), models_convert.wanted_from_proto(request.choice)
        estimate = await self._estimating.estimate(caller().person(), conversation, request.text, choice)
        return models_convert.estimate_to_proto(estimate)

    async def WatchMessage(
        self, request: chat_pb2.WatchMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        begun = await self._answers.get(caller().person(), conversation, message)
        async with aclosing(self._watching.events(begun, request.after)) as events:
            async for event in events:
                yield messages_convert.event_to_proto(event)
