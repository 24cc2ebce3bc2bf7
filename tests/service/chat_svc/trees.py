"""Conversations grown by hand: what was said stands in the database as turns leave it, without a model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from tests.service.chat_svc.replica import Person

NOWHERE = "conversations/00000000-0000-4000-8000-000000000000"
NO_CONVERSATION = (grpc.StatusCode.NOT_FOUND, "CONVERSATION_NOT_FOUND", "There is no such conversation among yours.")
NO_MESSAGE = (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND", "There is no such message among yours.")

SAY = """
    WITH grown AS (
        UPDATE chat.conversations SET last_position = last_position + 1, message_count = message_count + 1,
            current_id = $3, updated_at = now()
        WHERE user_id = $1 AND id = $2
        RETURNING last_position
    )
    INSERT INTO chat.messages (
        user_id, conversation_id, id, parent_id, position, role, character, text, state, finish_reason, created_at,
        input_tokens, output_tokens, charged, model, log
    )
    SELECT $1, $2, $3, $4, last_position, $5::text, CASE $5 WHEN 'user' THEN '' ELSE 'characters/sherlock-holmes' END,
        $6::text,
        'complete', CASE $5 WHEN 'user' THEN NULL ELSE 'stop' END, now(),
        CASE $5 WHEN 'user' THEN NULL ELSE 10 END, CASE $5 WHEN 'user' THEN NULL ELSE 5 END,
        CASE $5 WHEN 'user' THEN 0 ELSE 1 END, CASE $5 WHEN 'user' THEN '' ELSE 'claude' END,
        CASE $5 WHEN 'user' THEN '[]'
            ELSE jsonb_build_array(jsonb_build_object('began', 'claude'), jsonb_build_object('said', $6::text)) END
    FROM grown
"""


async def refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    """How a call is refused: code, reason, sentence."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), error_info(caught.value).reason, caught.value.details() or ""


@dataclass(frozen=True)
class Desk:
    """Somebody's calls, and the database beside them."""

    person: Person
    user: str
    database: asyncpg.Connection[asyncpg.Record]

    def ask(self, method: str, request: Any) -> Awaitable[Any]:
        call: Awaitable[Any] = getattr(self.person.stub, method)(request, metadata=self.person.metadata)
        return call

    async def say(self, conversation: str, after: str = "", text: str = "Indeed.", role: str = "user") -> str:
        """The name of a new message, with which the chosen branch ends now."""
        message = uuid4()
        parent = UUID(after.split("/")[3]) if after else None
        identifier = UUID(conversation.split("/")[1])
        await self.database.execute(SAY, self.user, identifier, message, parent, role, text)
        return f"{conversation}/messages/{message}"

    async def line(self, conversation: str, *texts: str) -> list[str]:
        """The names of messages that were said one after the other, the person's first."""
        names: list[str] = []
        for place, text in enumerate(texts):
            role = "character" if place % 2 else "user"
            names.append(await self.say(conversation, names[-1] if names else "", text, role))
        return names

    async def conversation(self, name: str) -> chat_pb2.Conversation:
        found: chat_pb2.Conversation = await self.ask("GetConversation", chat_pb2.GetConversationRequest(name=name))
        return found

    async def pages(self, name: str, *, all_branches: bool = False, size: int = 3) -> list[chat_pb2.Message]:
        """All messages, read page by page."""
        messages: list[chat_pb2.Message] = []
        token = ""
        while True:
            request = chat_pb2.ListMessagesRequest(
                parent=name, all_branches=all_branches, page_size=size, page_token=token
            )
            page = await self.ask("ListMessages", request)
            messages += page.messages
            token = page.next_page_token
            if not token:
                return messages

    async def choose(self, name: str) -> chat_pb2.Conversation:
        chosen: chat_pb2.Conversation = await self.ask("ChooseBranch", chat_pb2.ChooseBranchRequest(name=name))
        return chosen

    async def delete(self, name: str) -> chat_pb2.Conversation:
        left: chat_pb2.Conversation = await self.ask("DeleteMessage", chat_pb2.DeleteMessageRequest(name=name))
        return left

    async def fork(self, name: str, **wanted: Any) -> chat_pb2.Conversation:
        new: chat_pb2.Conversation = await self.ask(
            "ForkConversation", chat_pb2.ForkConversationRequest(name=name, **wanted)
        )
        return new

    async def get(self, name: str) -> chat_pb2.Message:
        found: chat_pb2.Message = await self.ask("GetMessage", chat_pb2.GetMessageRequest(name=name))
        return found

    async def update(self, name: str, *paths: str, **values: Any) -> chat_pb2.Message:
        request = chat_pb2.UpdateMessageRequest(
            message=chat_pb2.Message(name=name, **values), update_mask={"paths": list(paths or values)}
        )
        changed: chat_pb2.Message = await self.ask("UpdateMessage", request)
        return changed


@asynccontextmanager
async def desk(person: Person, user: str, dsn: str) -> AsyncIterator[Desk]:
    database = await asyncpg.connect(dsn)
    try:
        yield Desk(person, user, database)
    finally:
        await database.close()
