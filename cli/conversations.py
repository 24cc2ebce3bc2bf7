"""Which character, which conversation."""

import re
from dataclasses import dataclass

import grpc

from cli.client import CALL_SECONDS, Client
from cli.failures import HINTS, ExitCode, Failure
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub
from scenemesh.search.v1 import search_pb2
from scenemesh.search.v1.search_pb2_grpc import SearchServiceStub

SLUG = re.compile(r"(?:characters/)?([a-z0-9]+(?:-[a-z0-9]+)*)")


@dataclass(frozen=True)
class Conversation:
    """A conversation to speak in, and the character there. Both names are resource names."""

    name: str
    character: str
    speaker: str
    origin: str


async def opened(client: Client, channel: grpc.aio.Channel, wanted: str, name: str | None) -> Conversation:
    """A new conversation with the character that `wanted` means, or the one called `name`, which must be with it."""
    character = await _character(channel, wanted)
    chat = ChatServiceStub(channel)
    if name is None:
        create = chat_pb2.CreateConversationRequest(conversation=chat_pb2.Conversation(character=character.name))
        kept = await chat.CreateConversation(create, timeout=CALL_SECONDS, metadata=client.metadata)
    else:
        get = chat_pb2.GetConversationRequest(name=f"conversations/{name.removeprefix('conversations/')}")
        kept = await chat.GetConversation(get, timeout=CALL_SECONDS, metadata=client.metadata)
    if kept.character != character.name:
        message = f"That conversation is with {kept.character}, not with {character.name}."
        raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT")
    return Conversation(kept.name, character.name, character.display_name, character.title_display_name)


async def _character(channel: grpc.aio.Channel, wanted: str) -> search_pb2.Character:
    """By slug or resource name, else the best hit for a name."""
    search = SearchServiceStub(channel)
    if slug := SLUG.fullmatch(wanted):
        get = search_pb2.GetCharacterRequest(name=f"characters/{slug.group(1)}")
        try:
            return await search.GetCharacter(get, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND or "/" in wanted:
                raise
    suggest = search_pb2.SuggestRequest(query=wanted, page_size=1, kinds=[search_pb2.KIND_CHARACTER])
    answer = await search.Suggest(suggest, timeout=CALL_SECONDS)
    if not answer.suggestions:
        message, hint = f"No character is called {wanted}.", HINTS["CHARACTER_NOT_FOUND"]
        raise Failure(message, ExitCode.FAILED, "NOT_FOUND", "CHARACTER_NOT_FOUND", hint)
    best = answer.suggestions[0]
    return search_pb2.Character(
        name=best.name, display_name=best.display_name, title_display_name=best.title_display_name
    )
