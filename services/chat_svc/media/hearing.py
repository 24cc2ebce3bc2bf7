"""Recordings written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

import structlog

from runtime.errors import FailedPrecondition, InvalidArgument, Violation
from services.chat_svc.domain.audio import Dictation, Task
from services.chat_svc.domain.media import Media
from services.chat_svc.domain.sound import minutes, seconds
from services.chat_svc.media.audio_asking import asked
from services.chat_svc.media.shelf import Shelf
from services.chat_svc.media.tolls import Toll, Tolls
from services.chat_svc.providers.audio import Audio
from services.chat_svc.store.claims import Dictations

log = structlog.get_logger()

METER = "transcription"
# How often those look who wait for what another call makes.
LOOK_SECONDS = 0.2


class Hearing:
    """`able` gives the models for a task; `new_id` gives an id."""

    def __init__(
        self,
        shelf: Shelf,
        dictations: Dictations,
        tolls: Tolls,
        able: Callable[[Task], Sequence[Audio]],
        new_id: Callable[[], UUID],
    ) -> None:
        self._shelf = shelf
        self._dictations = dictations
        self._tolls = tolls
        self._able = able
        self._new_id = new_id

    async def write_down(self, user: str, media_id: UUID, language: str, request_id: str) -> Dictation:
        """What is said in a recording; the same, for nothing, to a retry with the same request id."""
        recording = await self._shelf.get(user, media_id)
        if recording.is_image:
            fault = Violation("name", "is an image, and no recording")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
        if not request_id:
            return await self._made(recording, language, None)
        request = uuid5(media_id, request_id.lower())
        while (earlier := await self._dictations.find(user, request)) is None:
            claim = self._new_id()
            if await self._dictations.claim(user, request, media_id, claim):
                try:
                    return await self._made(recording, language, (request, claim))
                except BaseException:
                    await asyncio.shield(self._dictations.give_up(user, request, claim))
                    raise
            await asyncio.sleep(LOOK_SECONDS)
        return earlier

    async def _made(self, recording: Media, language: str, kept: tuple[UUID, UUID] | None) -> Dictation:
        models = self._able(Task.TRANSCRIPTION)
        if not models:
            raise FailedPrecondition(
                "No configured model can write recordings down.", reason="NO_MODEL_FOR_TRANSCRIPTION"
            )
        # Of megabytes of small frames, each takes its time.
        guess = await asyncio.to_thread(seconds, recording.content, recording.content_type)
        toll = await self._tolls.hold(recording.user, METER, minutes(guess))
        try:
            content, kind = recording.content, recording.content_type
            who, heard = await asked(models, lambda one: one.heard(content, kind, language))
            length = heard.seconds or guess
            toll = await self._tolls.raised(toll, recording.user, minutes(length))
            return await self._charged(toll, Dictation(heard.text, who.model.id, length, 0), recording, who, kept)
        except BaseException:
            await asyncio.shield(self._tolls.give_back(toll))
            raise

    async def _charged(
        self, toll: Toll, heard: Dictation, recording: Media, who: Audio, kept: tuple[UUID, UUID] | None
    ) -> Dictation:
        units = minutes(heard.seconds)
        made = replace(heard, charged=min(units, toll.units) * toll.price)
        # Kept first: what somebody pays for is not lost, and what cannot be charged then is free.
        if kept is not None:
            await self._dictations.keep(recording.user, *kept, made)
        charged = await self._tolls.charge(toll, units, recording.name, made.model)
        if charged != made.charged:
            made = replace(made, charged=charged)
            if kept is not None:
                await self._dictations.keep(recording.user, *kept, made)
        dollars = float(who.model.price * Decimal(made.seconds) / 60)
        log.info("recording written down", model=made.model, seconds=round(made.seconds, 1), dollars=round(dollars, 6))
        return made
