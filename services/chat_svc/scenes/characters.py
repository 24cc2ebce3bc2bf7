"""Who a character is: as its person made it up, or as the catalogue has it, with a portrait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import grpc

from runtime.errors import MeshError, NotFound
from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from services.chat_svc.domain.character import custom_id
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.portraits import Portraits
from services.chat_svc.siblings import CALL_SECONDS_MAX, answered
from services.chat_svc.store.characters import CustomCharacters

PERSONA_SECONDS = 300.0
PERSONAS_MAX = 2000
# A turn waits so long for the portraits of all who are in it; one that comes later serves the turns after it.
PORTRAITS_SECONDS = 1.0
# What a character is called that its person deleted: nobody knows any more what it was called.
DELETED = "A deleted character"


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

    async def personas(
        self, user: str, characters: Sequence[str], portraits_seconds: float = PORTRAITS_SECONDS
    ) -> tuple[Persona, ...]:
        """Who each of some characters is to a person; NOT_FOUND (reason CHARACTER_NOT_FOUND) where one is no more.

        Portraits that take longer than `portraits_seconds` are done without, however many they are.
        """
        known = await _side_by_side([self._known(user, one) for one in characters])
        catalogued = [one for one in known if custom_id(one.character) is None]
        portraits = await self._portraits.portraits(catalogued, portraits_seconds)
        seen = {one.character: text for one, text in zip(catalogued, portraits, strict=True) if text}
        return tuple(
            replace(one, persona=f"{one.persona} {seen[one.character]}".strip()) if one.character in seen else one
            for one in known
        )

    async def display_names(self, user: str, characters: Sequence[str]) -> tuple[str, ...]:
        """What each of some characters is called, without waiting for a portrait; NOT_FOUND as `personas`."""
        return tuple(one.display_name for one in await _side_by_side([self._known(user, one) for one in characters]))

    async def remembered_names(self, user: str, characters: Sequence[str]) -> dict[str, str]:
        """What they are called, by resource name; those of the catalogue that are no more, as their ids there."""
        names, deleted = dict[str, str](), list[str]()
        for one in characters:
            try:
                names[one] = await self.display_name(user, one)
            except NotFound:
                names[one] = one.partition("/")[2]
                if custom_id(one) is not None:
                    deleted.append(one)
        several = len(deleted) > 1
        return names | {one: f"{DELETED} {place}" if several else DELETED for place, one in enumerate(deleted, 1)}

    async def display_name(self, user: str, character: str) -> str:
        """What a character is called; NOT_FOUND (reason CHARACTER_NOT_FOUND) when there is no such for them."""
        return (await self._known(user, character)).display_name

    async def greeting(self, user: str, character: str) -> str:
        """What it says first in a new conversation; empty for nothing."""
        own = custom_id(character)
        return (await self._custom.get(user, own)).greeting if own is not None else ""

    async def _known(self, user: str, character: str) -> Persona:
        """Who a character is, without a portrait."""
        own = custom_id(character)
        if own is None:
            return await self._catalogued(character)
        made = await self._custom.get(user, own)
        return Persona(made.display_name, made.title, made.persona, character)

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


async def _side_by_side(asked: Sequence[Coroutine[Any, Any, Persona]]) -> list[Persona]:
    """What all of them give; what the first to fail raises."""
    try:
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(one) for one in asked]
    except ExceptionGroup as group:
        known, others = group.split(MeshError)
        if known is None or others is not None:
            raise
        raise known.exceptions[0] from group
    return [task.result() for task in asking]
