"""What one process sees of the database: each call goes over its line and is done at one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from runtime.errors import NotFound
from runtime.postgres import RESERVED_SECONDS
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.store import Answers, Begun, Conversations, Messages, Rounds
from services.chat_svc.store.answers import Renewed
from services.chat_svc.store.conversations import Ready
from services.chat_svc.store.leases import NOBODY
from services.chat_svc.store.transcripts import Branch, Transcripts
from tests.unit.chat_svc.simulation.line import Line
from tests.unit.chat_svc.simulation.store import Database


@dataclass(frozen=True)
class Way:
    """A line to the database, of the process that is `owner` there."""

    database: Database
    line: Line
    owner: UUID

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()


class SeenAnswers(Answers):
    """The answers."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._database = way.database
        self._call = way.line.call
        self._owner = way.owner

    async def find(self, user: str, conversation_id: UUID, answer_id: UUID) -> Begun | None:
        return await self._call(lambda: self._database.find(user, answer_id))

    async def begin(
        self, question: Message | None, answer: Message, current: UUID | None, *, follows: bool = False
    ) -> Begun:
        return await self._call(
            lambda: self._database.begin(self._owner, question, answer, current, self._way.now, follows=follows)
        )

    async def end(self, answer: Message, at: datetime) -> bool:
        return await self._call(lambda: self._database.end(self._owner, answer, self._way.now))

    async def hold_resolved(self, answer: Message, announced: Envelope) -> None:
        def resolved() -> None:
            row = self._database.rows[answer.id]
            if not row.hold_resolved:
                row.hold_resolved, row.message = True, replace(row.message, charged=answer.charged)
                row.told.append(announced)

        await self._call(resolved)

    async def wish_stopped(self, answer: Message) -> None:
        def wished() -> None:
            self._database.rows[answer.id].stop_wished = True

        await self._call(wished)

    async def renew(self, running: Collection[UUID], unmirrored: Collection[UUID]) -> Renewed:
        def renewed() -> Renewed:
            return self._database.renew(self._owner, running, self._way.now, unmirrored)

        return await self._call(renewed, RESERVED_SECONDS)

    async def reach(self) -> None:
        await self._call(lambda: None)

    async def take_lapsed(self, running: Collection[UUID]) -> list[Message]:
        return await self._call(lambda: self._database.take_lapsed(self._owner, running, self._way.now))

    async def offer(self, answer: Message, handover: Handover) -> bool:
        return await self._call(lambda: self._database.offer(self._owner, answer, handover, self._way.now))

    async def is_offered(self, answer: Message) -> bool:
        return await self._call(lambda: self._database.rows[answer.id].owner == NOBODY)

    async def take_back(self, answer: Message) -> bool:
        return await self._call(lambda: self._database.take_back(self._owner, answer, self._way.now))

    async def take_offered(self) -> list[tuple[Message, Handover]]:
        return await self._call(lambda: self._database.take_offered(self._owner, self._way.now))


class SeenRounds(Rounds):
    """The rounds."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._database = way.database
        self._call = way.line.call

    async def spoken(self, user: str, conversation_id: UUID, leaf: UUID | None, limit: int) -> list[tuple[int, str]]:
        def spoken() -> list[tuple[int, str]]:
            branch = list(self._database.back(leaf))[:limit]
            return [(one.position, one.character) for one in reversed(branch)]

        return await self._call(spoken)

    async def followed(self, answer: Message) -> tuple[str, ...]:
        return await self._call(lambda: tuple(one.character for one in self._database.round(answer.id)))

    async def is_coming(self, user: str, conversation_id: UUID, answer_id: UUID) -> bool:
        return await self._call(lambda: self._database.is_coming(conversation_id, answer_id, self._way.now))

    async def end(self, answer: Message) -> Message:
        return await self._call(lambda: self._database.end_round(answer))

    async def keep(self, answer: Message, plan: Plan) -> None:
        await self._call(lambda: self._database.plans.update({answer.id: plan}))

    async def under_way(self, answer: Message) -> Round | None:
        return await self._call(lambda: self._database.under_way(answer))

    async def take_late(self) -> list[Message]:
        return await self._call(lambda: self._database.take_late(self._way.now))

    async def leave(self, answer: Message) -> None:
        await self._call(lambda: self._database.leave(answer, self._way.now))

    async def shows(self, answer: Message) -> bool:
        return await self._call(lambda: False)


class SeenConversations(Conversations):
    """The conversations."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._database = way.database
        self._call = way.line.call

    async def conversation(self, user: str, conversation_id: UUID) -> Conversation:
        def found() -> Conversation:
            conversation = self._database.conversations.get(conversation_id)
            if conversation is None or conversation.user != user:
                raise NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND")
            return conversation

        return await self._call(found)

    async def ready(self, user: str, conversation_id: UUID, answer_id: UUID) -> Ready:
        conversation = await self.conversation(user, conversation_id)
        answering = self._database.is_answering(conversation_id, answer_id, self._way.now)
        return Ready(conversation, answer_id in self._database.rows, answering)


class SeenMessages(Messages):
    """The messages."""

    def __init__(self, way: Way) -> None:
        self._database = way.database
        self._call = way.line.call

    async def get(self, user: str, conversation_id: UUID, message_id: UUID) -> Message:
        return await self._call(lambda: self._database.message(user, message_id))


class SeenTranscripts(Transcripts):
    """The branches, none of which is summarised or too long."""

    def __init__(self, way: Way) -> None:
        self._database = way.database
        self._call = way.line.call

    async def branch(
        self, conversation: Conversation, leaf: UUID | None, messages_max: int, bytes_max: int, *, whole: bool = False
    ) -> Branch:
        def branch() -> Branch:
            line = list(self._database.back(leaf))
            return Branch(line[::-1], None, cut=False)

        return await self._call(branch)
