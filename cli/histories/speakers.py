"""Who says a message, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import grpc

from cli.caller import Caller
from cli.client import CALL_SECONDS, Client
from cli.conversations import CUSTOM
from cli.text import printable
from scenemesh.chat.v1 import character_pb2, chat_pb2
from scenemesh.chat.v1.character_pb2_grpc import CharacterServiceStub


@dataclass(frozen=True)
class Speakers:
    """What the characters of one's own are called that say some messages, by resource name, each asked for once."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, caller: Caller, messages: Iterable[chat_pb2.Message]) -> Speakers:
        own = dict.fromkeys(one.character for one in messages if one.character.startswith(CUSTOM))
        return cls(asyncio.run(_names(caller.client(), own)) if own else {})

    def name(self, message: chat_pb2.Message) -> str:
        """You, the name of a character of one's own, or what comes after the slash of the catalogue's."""
        name = message.character
        return " ".join(printable(self.names.get(name) or name.rpartition("/")[2]).split()) or "you"


async def _names(client: Client, characters: Iterable[str]) -> dict[str, str]:
    async with client.channel() as channel:
        return {one: await _name(client, channel, one) for one in characters}


async def _name(client: Client, channel: grpc.aio.Channel, character: str) -> str:
    """What it is called, as far as that can be learned."""
    identifier = character.removeprefix(CUSTOM)
    request = character_pb2.GetCustomCharacterRequest(name=character)
    try:
        kept = CharacterServiceStub(channel).GetCustomCharacter
        found = await kept(request, timeout=CALL_SECONDS, metadata=client.metadata)
    except grpc.aio.AioRpcError as error:
        deleted = error.code() is grpc.StatusCode.NOT_FOUND
        return f"a deleted character ({identifier[:8]})" if deleted else identifier
    return found.display_name
