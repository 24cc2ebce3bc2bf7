"""The RPCs of CharacterService."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc
from google.protobuf import empty_pb2

from runtime.context import caller
from scenemesh.chat.v1 import character_pb2, character_pb2_grpc
from services.chat_svc.convert import characters as convert
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class CharacterServicer(character_pb2_grpc.CharacterServiceServicer):
    """Every RPC of CharacterService."""

    def __init__(self, parts: Parts) -> None:
        self._custom = parts.custom_characters
        self._clock = parts.clock
        self._new_id = parts.new_id

    async def CreateCustomCharacter(
        self, request: character_pb2.CreateCustomCharacterRequest, context: Context[Any, Any]
    ) -> character_pb2.CustomCharacter:
        made = convert.made_from_proto(caller().person(), request, self._new_id(), self._clock())
        return convert.character_to_proto(await self._custom.add(made))

    async def GetCustomCharacter(
        self, request: character_pb2.GetCustomCharacterRequest, context: Context[Any, Any]
    ) -> character_pb2.CustomCharacter:
        return convert.character_to_proto(await self._custom.get(caller().person(), _id(request.name)))

    async def ListCustomCharacters(
        self, request: character_pb2.ListCustomCharactersRequest, context: Context[Any, Any]
    ) -> character_pb2.ListCustomCharactersResponse:
        user = caller().person()
        after, size = convert.characters_after(user, request)
        return convert.characters_to_proto(user, await self._custom.page(user, after, size + 1), size)

    async def UpdateCustomCharacter(
        self, request: character_pb2.UpdateCustomCharacterRequest, context: Context[Any, Any]
    ) -> character_pb2.CustomCharacter:
        proto = request.custom_character
        before = await self._custom.get(caller().person(), convert.name_from_proto(proto))
        changed = convert.changed_from_proto(before, proto, request.update_mask, self._clock())
        await self._custom.change(changed)
        return convert.character_to_proto(changed)

    async def DeleteCustomCharacter(
        self, request: character_pb2.DeleteCustomCharacterRequest, context: Context[Any, Any]
    ) -> empty_pb2.Empty:
        await self._custom.delete(caller().person(), _id(request.name))
        return empty_pb2.Empty()


def _id(name: str) -> UUID:
    return UUID(name.split("/")[1])
