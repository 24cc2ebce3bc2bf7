"""One stream for a whole conversation: requests come in while events go out.

Requests take effect in the order in which they come: nothing begins or stops before what was asked for earlier has.
What takes time after that runs side by side, and what is told shares one queue: a reader who is slow slows all down,
and nothing piles up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Set
from contextlib import aclosing
from uuid import UUID, uuid4

import structlog

from runtime.context import request_id
from runtime.errors import FailedPrecondition, Internal, InvalidArgument, MeshError, ResourceExhausted, Violation
from runtime.interceptors.validation import validate
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert import conversations as convert
from services.chat_svc.convert import messages as messages_convert
from services.chat_svc.domain.conversation import Message, answer_id
from services.chat_svc.domain.wish import Wish
from services.chat_svc.parts import Parts
from services.chat_svc.store import Begun
from services.chat_svc.turning import rates

log = structlog.get_logger()

# What is told and not yet read.
QUEUE_MAX = 16
# A stream is never silent for longer.
HEARTBEAT_SECONDS = 20.0
# Requests that one stream works on at once. As many stops come on top of them; one that is too many is read later.
AT_ONCE_MAX = 8


class Conversing:
    """One stream of one person."""

    def __init__(self, parts: Parts, user: str) -> None:
        self._parts = parts
        self._user = user
        self._parent = ""
        self._told: asyncio.Queue[chat_pb2.ConverseResponse | None] = asyncio.Queue(QUEUE_MAX)
        self._working: set[asyncio.Task[None]] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        # Lets in whoever came first; each task comes here before it does anything else, and tasks start in their order.
        self._turn = asyncio.Lock()

    async def responses(
        self, requests: AsyncIterator[chat_pb2.ConverseRequest]
    ) -> AsyncGenerator[chat_pb2.ConverseResponse, None]:
        """What is told, until the requests end and everything that they asked for has been told.

        A request that breaks a rule of the contract ends the stream with its error.
        """
        broken: MeshError | None = None

        async def read() -> None:
            nonlocal broken
            try:
                await self._read(requests, tasks)
            except MeshError as error:
                broken = error
            await self._told.put(None)

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(read())
            try:
                while (told := await self._next()) is not None:
                    yield told
            except GeneratorExit:
                # Nobody listens any more, which the group of tasks would take for a fault.
                return
            finally:
                await _ended({reading, *self._working, *self._stopping})
        if broken is not None:
            raise broken

    async def _next(self) -> chat_pb2.ConverseResponse | None:
        """What is told next; None at the end."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                return await self._told.get()
        except TimeoutError:
            return chat_pb2.ConverseResponse(heartbeat=chat_pb2.Heartbeat())

    async def _read(self, requests: AsyncIterator[chat_pb2.ConverseRequest], tasks: asyncio.TaskGroup) -> None:
        async for request in requests:
            kind = request.WhichOneof("request")
            running = self._stopping if kind == "stop" else self._working
            if len(running) >= AT_ONCE_MAX and kind == "stop":
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            elif len(running) >= AT_ONCE_MAX and kind != "open":
                await self._told.put(_failed(request.place, _too_many()))
                continue
            task = tasks.create_task(self._answer(request))
            running.add(task)
            task.add_done_callback(running.discard)
            if kind == "open":
                # Whatever comes next is about the conversation that this opens.
                await asyncio.wait([task])
        if self._working or self._stopping:
            await asyncio.wait(self._working | self._stopping)

    async def _answer(self, request: chat_pb2.ConverseRequest) -> None:
        try:
            async with aclosing(self._answers(request)) as answers:
                async for answer in answers:
                    answer.place = request.place
                    await self._told.put(answer)
        except MeshError as error:
            await self._told.put(_failed(request.place, error))
        except Exception:
            log.exception("defect in a conversation's stream")
            await self._told.put(_failed(request.place, Internal("defect", reason="INTERNAL")))

    async def _answers(self, request: chat_pb2.ConverseRequest) -> AsyncGenerator[chat_pb2.ConverseResponse, None]:
        match request.WhichOneof("request"):
            case "open":
                yield chat_pb2.ConverseResponse(opened=await self._open(request.open))
            case "send":
                async with self._turn:
                    await self._parts.rates.count(self._user, rates.SEND)
                    begun = await self._begin(request.send, interrupt=request.interrupt)
                async with aclosing(self._parts.watching.round(begun)) as told:
                    async for one in told:
                        yield chat_pb2.ConverseResponse(event=messages_convert.event_to_proto(one))
            case "stop":
                async with self._turn:
                    await self._parts.rates.count(self._user, rates.STOP)
                    stopped = await self._stop(request.stop.name)
                yield chat_pb2.ConverseResponse(stopped=messages_convert.message_to_proto(stopped))
            case "watch":
                # What was said before it has begun by then, and nobody has to wait for a reader.
                async with self._turn:
                    pass
                begun = await self._begun(request.watch.name)
                async with aclosing(self._parts.watching.events(begun, request.watch.after)) as told:
                    async for one in told:
                        yield chat_pb2.ConverseResponse(event=messages_convert.event_to_proto(one))

    async def _open(self, name: str) -> chat_pb2.Conversation:
        if self._parent:
            raise FailedPrecondition("The stream is open already.", reason="ALREADY_OPEN")
        found = await self._parts.conversations.conversation(self._user, convert.conversation_id(name))
        self._parent = name
        return convert.conversation_to_proto(found)

    async def _begin(self, request: chat_pb2.SendMessageRequest, *, interrupt: bool) -> Begun:
        request.parent = request.parent or self._opened()
        validate(request)
        self._check(request.parent)
        conversation, wish = convert.conversation_id(request.parent), messages_convert.wish_from_proto(request)
        if interrupt:
            await self._interrupt(conversation, wish)
        return await self._parts.turns.begin(self._user, conversation, wish)

    async def _interrupt(self, conversation: UUID, wish: Wish) -> None:
        """Stops whoever speaks in the conversation, and whoever is to follow them, unless they answer this wish."""
        answer = answer_id(conversation, wish.request_id, uuid4())
        ready = await self._parts.conversations.ready(self._user, conversation, answer)
        current = ready.conversation.current
        if current is None or ready.begun or not ready.answering:
            return
        begun = await self._parts.answers.find(self._user, conversation, current)
        if begun is not None:
            await self._parts.stopping.stop(begun.answer)

    async def _stop(self, name: str) -> Message:
        self._check(name)
        conversation, message = convert.conversation_id(name), messages_convert.message_id(name)
        return await self._parts.stopping.stop_here(self._user, conversation, message)

    async def _begun(self, name: str) -> Begun:
        self._check(name)
        conversation, message = convert.conversation_id(name), messages_convert.message_id(name)
        return await self._parts.watching.begun(self._user, conversation, message)

    def _check(self, name: str) -> None:
        """The stream is one conversation's."""
        if name.split("/")[:2] != self._opened().split("/")[:2]:
            fault = Violation("name", "is not of the conversation that this stream is open for")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])

    def _opened(self) -> str:
        if not self._parent:
            raise FailedPrecondition("Open the stream first: send `open`.", reason="NOT_OPEN")
        return self._parent


def _failed(place: int, error: MeshError) -> chat_pb2.ConverseResponse:
    message = error.message
    if isinstance(error, Internal):
        message = f"Something broke on our side. Tell us this request id: {request_id()}"
    told = chat_pb2.ConverseError(
        code=int(error.code), message=message, reason=error.reason, metadata=dict(error.metadata)
    )
    return chat_pb2.ConverseResponse(place=place, error=told)


def _too_many() -> ResourceExhausted:
    return ResourceExhausted(
        f"This stream works on {AT_ONCE_MAX} requests already: wait for one to end.", reason="TOO_MANY_AT_ONCE"
    )


async def _ended(tasks: Set[asyncio.Task[None]]) -> None:
    """Ends tasks."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
