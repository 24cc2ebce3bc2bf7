"""An edge without anything behind it: the generated servicers over plaintext, as a test scripts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import MeshError, NotFound
from runtime.status import to_grpc
from scenemesh.chat.v1 import character_pb2, character_pb2_grpc, chat_pb2, chat_pb2_grpc
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from scenemesh.search.v1 import search_pb2, search_pb2_grpc

CONVERSATION = "conversations/00000000-0000-4000-8000-000000000001"
MESSAGE = f"{CONVERSATION}/messages/00000000-0000-4000-8000-000000000002"
NEXT = f"{CONVERSATION}/messages/00000000-0000-4000-8000-000000000004"
SHERLOCK = search_pb2.Character(
    name="characters/sherlock-holmes", display_name="Sherlock Holmes", title_display_name="Sherlock"
)
WATSON = search_pb2.Character(name="characters/john-watson", display_name="John Watson", title_display_name="Sherlock")
MIRA = character_pb2.CustomCharacter(name="customCharacters/00000000-0000-4000-8000-000000000005", display_name="Mira")
CATALOGUE = {one.name: one for one in (SHERLOCK, WATSON)}
HIT = search_pb2.Suggestion(
    name=SHERLOCK.name,
    display_name="Sherlock Holmes",
    kind=search_pb2.KIND_CHARACTER,
    title_display_name="Sherlock",
    year=2010,
    matched_alias="Holmes",
    popularity=97,
)
RESET = datetime(2026, 11, 22, tzinfo=UTC)
QUOTA = quota_pb2.Quota(
    name="users/alice/quota",
    plan="plans/free",
    time_zone="Europe/Berlin",
    meters=[
        quota_pb2.Decision(
            meter="chat",
            limit=5,
            used=1,
            remaining=4,
            reset_time=Timestamp(seconds=int(RESET.timestamp())),
            local_reset_time="2026-11-22T01:00:00+01:00",
            outcome=quota_pb2.OUTCOME_ADMITTED,
            reason=quota_pb2.REASON_WITHIN_LIMIT,
            amount=1,
        ),
        quota_pb2.Decision(meter="voice", unlimited=True, outcome=quota_pb2.OUTCOME_ADMITTED),
    ],
)
REFUSED = quota_pb2.Decision(
    meter="chat",
    limit=5,
    used=5,
    outcome=quota_pb2.OUTCOME_REFUSED,
    reason=quota_pb2.REASON_LIMIT_REACHED,
    amount=1,
    soft_limit_reached=True,
    plan="plans/free",
    unlocks=[
        quota_pb2.Unlock(plan="plans/creator", display_name="Creator", amount=100, period="day"),
        quota_pb2.Unlock(plan="plans/max", display_name="Max", unlimited=True, period="day"),
    ],
    message="All 5 turns of today are used.",
)
SPENT = quota_pb2.Quota(name=QUOTA.name, plan=QUOTA.plan, time_zone=QUOTA.time_zone, meters=[REFUSED])
HOLD = quota_pb2.Hold(
    name="users/bob/holds/00000000-0000-4000-8000-000000000003",
    lines=[quota_pb2.HoldLine(meter="chat", amount=1)],
    state=quota_pb2.HOLD_STATE_HELD,
    create_time=Timestamp(seconds=int(RESET.timestamp())),
    expire_time=Timestamp(seconds=int(RESET.timestamp()) + 600),
)
ENTRIES = [
    quota_pb2.Entry(
        name=f"users/alice/entries/{number}",
        meter="chat",
        amount=1,
        kind=quota_pb2.ENTRY_KIND_CHARGE,
        debit=quota_pb2.ACCOUNT_AVAILABLE,
        credit=quota_pb2.ACCOUNT_CONSUMED,
        source=quota_pb2.SOURCE_PLAN,
        balance=number,
        usage=quota_pb2.Usage(resource="conversations/c/messages/m"),
        create_time=Timestamp(seconds=int(RESET.timestamp())),
    )
    for number in (3, 2)
]
USAGE = chat_pb2.TokenUsage(input_tokens=120, output_tokens=45)
RECEIPT = chat_pb2.Receipt(meter="chat", charged=1, usage=USAGE)
ANSWER = chat_pb2.Message(name=MESSAGE, role=chat_pb2.ROLE_CHARACTER, text="Elementary.", model="tiny")


def started(number: int = 1, message: str = MESSAGE) -> chat_pb2.ChatEvent:
    return chat_pb2.ChatEvent(message=message, number=number, started=chat_pb2.Started(model="tiny"))


def delta(number: int, text: str, message: str = MESSAGE) -> chat_pb2.ChatEvent:
    return chat_pb2.ChatEvent(message=message, number=number, delta=chat_pb2.Delta(text=text))


def delayed(number: int, message: str = MESSAGE) -> chat_pb2.ChatEvent:
    return chat_pb2.ChatEvent(message=message, number=number, delayed=chat_pb2.Delayed())


def finished(number: int, message: str = MESSAGE, following: str = "") -> chat_pb2.ChatEvent:
    answer = chat_pb2.Message()
    answer.CopyFrom(ANSWER)
    answer.name, answer.next_message = message, following
    end = chat_pb2.Finished(reason=chat_pb2.FINISH_REASON_STOP, message=answer, receipt=RECEIPT)
    return chat_pb2.ChatEvent(message=message, number=number, finished=end)


def failed(number: int) -> chat_pb2.ChatEvent:
    end = chat_pb2.Failed(
        reason=chat_pb2.FAILURE_REASON_MODEL_CUT,
        description="The model broke off; this turn is free.",
        message=ANSWER,
        receipt=chat_pb2.Receipt(meter="chat", charged=0, usage=USAGE),
    )
    return chat_pb2.ChatEvent(message=MESSAGE, number=number, failed=end)


WHOLE = (started(), delta(2, "Element"), delta(3, "ary."), finished(4))


Step = Message | MeshError | grpc.StatusCode


@dataclass
class Script:
    """What the edge answers. Streams are one entry a call: events, and how the stream ends after them."""

    refusal: MeshError | grpc.StatusCode | None = None
    delete_refusal: MeshError | None = None
    sends: list[Sequence[Step]] = field(default_factory=lambda: [WHOLE])
    watches: list[Sequence[Step]] = field(default_factory=list)
    suggestions: Sequence[search_pb2.Suggestion] = (HIT,)
    # How many messages the conversation that there is has, its others, and who gives an answer, by the message.
    message_count: int = 0
    others: Sequence[str] = ()
    characters: dict[str, str] = field(default_factory=dict)
    models: Sequence[chat_pb2.ModelInfo] = ()
    quota: quota_pb2.Quota | MeshError = field(default_factory=lambda: QUOTA)
    quota_watches: list[Sequence[Step]] = field(default_factory=list)
    # Set by the edge.
    requests: list[Any] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def heard(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self.requests.append(request)
        metadata = dict(context.invocation_metadata() or ())
        self.tokens.append(str(metadata.get("authorization", "")).removeprefix("Bearer "))
        if self.refusal is not None:
            await refuse(context, self.refusal)

    async def play(self, steps: Sequence[Step], context: Any) -> AsyncIterator[Any]:
        """Events as they stand; an error ends the stream, OK as a step leaves it hanging."""
        try:
            for step in steps:
                if isinstance(step, Message):
                    yield step
                elif step is grpc.StatusCode.OK:
                    await asyncio.Event().wait()
                else:
                    await refuse(context, step)
        except (asyncio.CancelledError, GeneratorExit):
            self.abandoned.set()
            raise


async def refuse(context: grpc.aio.ServicerContext[Any, Any], refusal: MeshError | grpc.StatusCode) -> None:
    if isinstance(refusal, MeshError):
        await context.abort_with_status(to_grpc(refusal, "request-1"))
    else:
        await context.abort(refusal, "the connection is gone")


class Search(search_pb2_grpc.SearchServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def Suggest(self, request: Any, context: Any) -> search_pb2.SuggestResponse:
        await self._script.heard(request, context)
        return search_pb2.SuggestResponse(suggestions=self._script.suggestions[: request.page_size])

    async def GetTitle(self, request: Any, context: Any) -> search_pb2.Title:
        raise NotImplementedError

    async def GetCharacter(self, request: Any, context: Any) -> search_pb2.Character:
        await self._script.heard(request, context)
        if request.name not in CATALOGUE:
            await refuse(context, NotFound("There is no such character.", reason="CHARACTER_NOT_FOUND"))
        return CATALOGUE[request.name]


class Characters(character_pb2_grpc.CharacterServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def GetCustomCharacter(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        await self._script.heard(request, context)
        return MIRA


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def GetQuota(self, request: Any, context: Any) -> quota_pb2.Quota:
        await self._script.heard(request, context)
        if isinstance(self._script.quota, MeshError):
            await refuse(context, self._script.quota)
        assert isinstance(self._script.quota, quota_pb2.Quota)
        return self._script.quota

    async def WatchQuota(self, request: Any, context: Any) -> AsyncIterator[quota_pb2.QuotaEvent]:
        await self._script.heard(request, context)
        async for event in self._script.play(self._script.quota_watches.pop(0), context):
            yield event

    async def UpdateQuota(self, request: Any, context: Any) -> quota_pb2.Quota:
        await self._script.heard(request, context)
        quota = quota_pb2.Quota()
        quota.CopyFrom(QUOTA)
        quota.time_zone = request.quota.time_zone
        return quota

    async def ListEntries(self, request: Any, context: Any) -> quota_pb2.ListEntriesResponse:
        """An entry a page."""
        await self._script.heard(request, context)
        page = int(request.page_token or 0)
        last = page == len(ENTRIES) - 1
        return quota_pb2.ListEntriesResponse(entries=[ENTRIES[page]], next_page_token="" if last else str(page + 1))

    async def ListHolds(self, request: Any, context: Any) -> quota_pb2.ListHoldsResponse:
        await self._script.heard(request, context)
        return quota_pb2.ListHoldsResponse(holds=[HOLD])

    async def VoidHold(self, request: Any, context: Any) -> quota_pb2.Hold:
        await self._script.heard(request, context)
        voided = quota_pb2.Hold()
        voided.CopyFrom(HOLD)
        voided.state, voided.voided_by, voided.void_reason = quota_pb2.HOLD_STATE_VOIDED, "users/olga", request.reason
        voided.resolve_time.FromDatetime(RESET)
        return voided


class Chat(chat_pb2_grpc.ChatServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def ListModels(self, request: Any, context: Any) -> chat_pb2.ListModelsResponse:
        await self._script.heard(request, context)
        return chat_pb2.ListModelsResponse(models=self._script.models)

    async def CreateConversation(self, request: Any, context: Any) -> chat_pb2.Conversation:
        await self._script.heard(request, context)
        wanted = request.conversation
        return chat_pb2.Conversation(name=CONVERSATION, character=wanted.character, others=wanted.others)

    async def GetConversation(self, request: Any, context: Any) -> chat_pb2.Conversation:
        await self._script.heard(request, context)
        return chat_pb2.Conversation(
            name=request.name,
            character=SHERLOCK.name,
            others=self._script.others,
            message_count=self._script.message_count,
        )

    async def DeleteConversation(self, request: Any, context: Any) -> empty_pb2.Empty:
        await self._script.heard(request, context)
        if self._script.delete_refusal is not None:
            await refuse(context, self._script.delete_refusal)
        return empty_pb2.Empty()

    async def GetMessage(self, request: Any, context: Any) -> chat_pb2.Message:
        await self._script.heard(request, context)
        return chat_pb2.Message(name=request.name, character=self._script.characters[request.name])

    async def SendMessage(self, request: Any, context: Any) -> AsyncIterator[chat_pb2.ChatEvent]:
        await self._script.heard(request, context)
        async for event in self._script.play(self._script.sends.pop(0), context):
            yield event

    async def WatchMessage(self, request: Any, context: Any) -> AsyncIterator[chat_pb2.ChatEvent]:
        await self._script.heard(request, context)
        async for event in self._script.play(self._script.watches.pop(0), context):
            yield event


@asynccontextmanager
async def fake_edge() -> AsyncIterator[Script]:
    """An edge as long as the block, following the script that the block gets."""
    script = Script()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    search_pb2_grpc.add_SearchServiceServicer_to_server(Search(script), server)  # type: ignore[abstract]
    quota_pb2_grpc.add_QuotaServiceServicer_to_server(Quota(script), server)  # type: ignore[abstract]
    chat_pb2_grpc.add_ChatServiceServicer_to_server(Chat(script), server)  # type: ignore[abstract]
    character_pb2_grpc.add_CharacterServiceServicer_to_server(Characters(script), server)  # type: ignore[abstract]
    script.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield script
    finally:
        await server.stop(0)
