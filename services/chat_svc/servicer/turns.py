"""The RPCs of ChatService in which somebody speaks."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import grpc

from runtime.context import caller
from runtime.errors import InvalidArgument, Violation
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.convert import models as models_convert
from services.chat_svc.convert import wishes as wishes_convert
from services.chat_svc.domain.model import classes
from services.chat_svc.domain.wish import Wish
from services.chat_svc.parts import Parts
from services.chat_svc.siblings import PREMIUM_METER

Context = grpc.aio.ServicerContext

# What a reader of Server-Sent Events says of itself when it comes back.
LAST_EVENT_ID = "last-event-id"
EVENT_NUMBER = re.compile(r"[0-9]{1,18}")


class TurnRpcs(chat_pb2_grpc.ChatServiceServicer):
    """Turns, watching and stopping them, and who may answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListModels(
        self, request: chat_pb2.ListModelsRequest, context: Context[Any, Any]
    ) -> chat_pb2.ListModelsResponse:
        premium = await self._parts.quota.admits(caller().person(), PREMIUM_METER)
        return models_convert.models_to_proto(self._parts.router.listing(classes(premium=premium)))

    async def SendMessage(
        self, request: chat_pb2.SendMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        wish = messages_convert.wish_from_proto(request)
        async with aclosing(self._turn(convert.conversation_id(request.parent), wish)) as events:
            async for event in events:
                yield event

    async def RegenerateMessage(
        self, request: chat_pb2.RegenerateMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        wish = wishes_convert.again_from_proto(request)
        async with aclosing(self._turn(convert.conversation_id(request.name), wish)) as events:
            async for event in events:
                yield event

    async def RewriteMessage(
        self, request: chat_pb2.RewriteMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        wish = wishes_convert.rewritten_from_proto(request)
        async with aclosing(self._turn(convert.conversation_id(request.name), wish)) as events:
            async for event in events:
                yield event

    async def StopMessage(self, request: chat_pb2.StopMessageRequest, context: Context[Any, Any]) -> chat_pb2.Message:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        stopped = await self._parts.stopping.stop_here(caller().person(), conversation, message)
        return messages_convert.message_to_proto(stopped)

    async def EstimateTurn(
        self, request: chat_pb2.EstimateTurnRequest, context: Context[Any, Any]
    ) -> chat_pb2.TurnEstimate:
        conversation, choice = convert.conversation_id(request.parent), models_convert.wanted_from_proto(request.choice)
        images, user = request.images, caller().person()
        estimate = await self._parts.estimating.estimate(user, conversation, request.text, choice, images)
        return models_convert.estimate_to_proto(estimate)

    async def WatchMessage(
        self, request: chat_pb2.WatchMessageRequest, context: Context[Any, Any]
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        conversation, message = convert.conversation_id(request.name), messages_convert.message_id(request.name)
        # A reader that comes back by itself asks with its first address, and says in the header how far it is by now.
        after = max(request.after, _last_event_id(context))
        begun = await self._parts.watching.begun(caller().person(), conversation, message)
        async with aclosing(self._parts.watching.events(begun, after)) as events:
            async for event in events:
                yield messages_convert.event_to_proto(event)

    async def _turn(self, conversation: UUID, wish: Wish) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
        """The answers to a wish."""
        begun = await self._parts.turns.begin(caller().person(), conversation, wish)
        async with aclosing(self._parts.watching.round(begun)) as events:
            async for event in events:
                yield messages_convert.event_to_proto(event)


def _last_event_id(context: Context[Any, Any]) -> int:
    """The number of the last event that the caller says it has seen, 0 if it says none."""
    said = dict(context.invocation_metadata() or ()).get(LAST_EVENT_ID, "")
    if said and not EVENT_NUMBER.fullmatch(str(said)):
        fault = Violation(LAST_EVENT_ID, "must be the id of an event that came: a number such as 12")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    return int(said or 0)
