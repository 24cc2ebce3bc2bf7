"""Groups for tests, and what tests look at in a round."""

from collections.abc import AsyncGenerator, Sequence
from itertools import groupby

import grpc

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CALL_SECONDS, Events, Person, events_of

SHERLOCK, WATSON, MYCROFT = CAST = tuple(
    f"characters/{slug}" for slug in ("sherlock-holmes", "john-watson", "mycroft-holmes")
)
LIST, MANUAL, NATURAL = chat_pb2.TURN_ORDER_LIST, chat_pb2.TURN_ORDER_MANUAL, chat_pb2.TURN_ORDER_NATURAL


async def gathered(
    person: Person, group: chat_pb2.Group | None = None, cast: Sequence[str] = CAST, display_name: str = ""
) -> str:
    """The name of a new conversation with several characters, who answer in the order of the list unless told."""
    group = group or chat_pb2.Group(turn_order=LIST)
    wanted = chat_pb2.Conversation(character=cast[0], others=cast[1:], group=group, display_name=display_name)
    request = chat_pb2.CreateConversationRequest(conversation=wanted)
    return (await person.stub.CreateConversation(request, metadata=person.metadata)).name


def said_to(
    person: Person, parent: str, text: str = "Well?", speakers: Sequence[str] = (), request_id: str = ""
) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    """The events of a round, as they come."""
    request = chat_pb2.SendMessageRequest(parent=parent, text=text, speakers=speakers, request_id=request_id)
    return events_of(person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS))


async def round_of(
    person: Person, parent: str, text: str = "Well?", speakers: Sequence[str] = (), request_id: str = ""
) -> Events:
    return [event async for event in said_to(person, parent, text, speakers, request_id)]


def logs(events: Events) -> list[Events]:
    """The log of each answer of a round."""
    return [list(log) for _, log in groupby(events, lambda event: event.message)]


def answers(events: Events) -> list[chat_pb2.Message]:
    """The answers of a round, as they ended."""
    ends = [log[-1] for log in logs(events)]
    return [end.finished.message if end.HasField("finished") else end.failed.message for end in ends]


def speakers(events: Events) -> list[str]:
    return [answer.character for answer in answers(events)]


def notes(fake: FakeProvider) -> list[str]:
    """The last thing that every prompt says: who speaks now."""
    return [request.body["messages"][-1]["content"].rpartition("\n")[2] for request in fake.requests]


def reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), error_info(error).reason


async def stop(person: Person, message: str) -> chat_pb2.Message:
    return await person.stub.StopMessage(chat_pb2.StopMessageRequest(name=message), metadata=person.metadata)


def words(*texts: str) -> tuple[Behaviour, ...]:
    return tuple(Behaviour(answer=[text]) for text in texts)


def paused(seconds: int = 10) -> chat_pb2.Group:
    return chat_pb2.Group(turn_order=LIST, pause_seconds=seconds)
