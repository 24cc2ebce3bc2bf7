"""What the provider was told, and conversations with a title, which nothing is asked about behind the scenes."""

import asyncio
from collections.abc import Awaitable, Callable

from scenemesh.chat.v1 import chat_pb2
from tests.fakes.provider import Request
from tests.service.chat_svc.replica import CHARACTER, WAIT_SECONDS, Person


def texts(request: Request) -> list[str]:
    """What stands in the messages of a request, one by one."""
    contents = [message["content"] for message in request.body["messages"]]
    return [one if isinstance(one, str) else "".join(block.get("text", "") for block in one) for one in contents]


async def titled(person: Person) -> str:
    """The name of a new conversation to which the person gave a title."""
    wanted = chat_pb2.Conversation(character=CHARACTER, display_name="Baker Street")
    request = chat_pb2.CreateConversationRequest(conversation=wanted)
    return (await person.stub.CreateConversation(request, metadata=person.metadata)).name


async def looked_up(person: Person, conversation: str) -> chat_pb2.Conversation:
    request = chat_pb2.GetConversationRequest(name=conversation)
    return await person.stub.GetConversation(request, metadata=person.metadata)


async def in_time(true: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something is so that has to be asked for."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await true():
            await asyncio.sleep(0.02)
