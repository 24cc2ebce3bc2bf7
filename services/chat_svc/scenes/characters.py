"""Who a character is: as its person made it up, or as the catalogue has it, with a portrait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import grpc

from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from services.chat_svc.domain.character import custom_id
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.portraits import Portraits
from services.chat_svc.siblings import CALL_SECONDS_MAX, answered
from services.chat_svc.store.characters import CustomCharacters

PERSONA_SECONDS = 300.0
PERSONAS_MAX = 2000


class Characters:
    """What the catalogue says is kept for five minutes. `seconds` is a clock that only goes forward."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        custom: CustomCharacters,
        portraits: Portraits,
        seconds: Callable[[], float],
    ) -> None:
        self._stub = search_pb2_grpc.SearchServiceStub(channel)
        self._custom = custom
        self._portraits = portraits
        self._seconds = seconds
        self._kept: OrderedDict[str, tuple[float, Persona]] = OrderedDict()

    async def persona(self, user: str, character: str) -> Persona:
        """Who a character is to a person; NOT_FOUND (reason CHARACTER_NOT_FOUND) when there is no such for them."""
        own = custom_id(character)
        if own is not None:
            made = await self._custom.get(user, own)
            return Persona(made.display_name, made.title, made.persona, character)
        persona = await self._catalogued(character)
        portrait = await self._portraits.portrait(persona)
        return replace(persona, persona=f"{persona.persona} {portrait}".strip())

    async def greeting(self, user: str, character: str) -> str:
        """What it says first in a new conversation; empty for nothing."""
        own = custom_id(character)
        return (await self._custom.get(user, own)).greeting if own is not None else ""

    async def _catalogued(self, character: str) -> Persona:
        until, persona = self._kept.get(character, (0.0, None))
        if persona is not None and self._seconds() < until:
            return persona
        request = search_pb2.GetCharacterRequest(name=character)
        found = await answered(self._stub.GetCharacter(request, timeout=CALL_SECONDS_MAX))
        persona = Persona(found.display_name, found.title_display_name, found.persona, character)
        self._kept[character] = (self._seconds() + PERSONA_SECONDS, persona)
        self._kept.move_to_end(character)
        if len(self._kept) > PERSONAS_MAX:
            self._kept.popitem(last=False)
        return persona
