"""Messages read aloud."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from runtime.errors import Aborted, FailedPrecondition, InvalidArgument, Violation
from services.chat_svc.domain.audio import Task, voice_of
from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.domain.sound import CHARACTERS_PER_UNIT, thousands
from services.chat_svc.media.audio_asking import asked
from services.chat_svc.media.tolls import Toll, Tolls
from services.chat_svc.providers.audio import Audio
from services.chat_svc.store import Messages
from services.chat_svc.store.claims import Recitals

log = structlog.get_logger()

METER = "speech"
# How often those look who wait for what another call makes.
LOOK_SECONDS = 0.2


class Reciting:
    """`able` gives the models for a task; `new_id` gives an id."""

    def __init__(
        self,
        messages: Messages,
        recitals: Recitals,
        tolls: Tolls,
        able: Callable[[Task], Sequence[Audio]],
        new_id: Callable[[], UUID],
    ) -> None:
        self._messages = messages
        self._recitals = recitals
        self._tolls = tolls
        self._able = able
        self._new_id = new_id

    async def recite(self, user: str, conversation: UUID, message_id: UUID, voice: str) -> bytes:
        """A character's message as MP3, in a voice or in that of the character. The same again is free."""
        message = await self._messages.get(user, conversation, message_id)
        _check(message)
        models = self._able(Task.SPEECH)
        if not models:
            raise FailedPrecondition("No configured model can speak.", reason="NO_MODEL_FOR_SPEECH")
        voice = voice or voice_of(message.character, models[0].model.voices)
        models = [one for one in models if voice in one.model.voices]
        if not models:
            raise _invalid("voice", "is none of those that there are")
        sha256 = hashlib.sha256(message.text.encode()).digest()
        while (earlier := await self._recitals.find(user, conversation, message_id, voice, sha256)) is None:
            claim = self._new_id()
            if await self._recitals.claim(user, conversation, message_id, voice, sha256, claim):
                try:
                    return await self._made(models, message, voice, claim)
                except BaseException:
                    await asyncio.shield(self._recitals.give_up(user, claim))
                    raise
            await asyncio.sleep(LOOK_SECONDS)
        return earlier

    async def _made(self, models: Sequence[Audio], message: Message, voice: str, claim: UUID) -> bytes:
        toll = await self._tolls.hold(message.user, METER, thousands(message.text))
        try:
            return await self._spoken(models, message, voice, claim, toll)
        except BaseException:
            await asyncio.shield(self._tolls.give_back(toll))
            raise

    async def _spoken(self, models: Sequence[Audio], message: Message, voice: str, claim: UUID, toll: Toll) -> bytes:
        who, sound = await asked(models, lambda one: one.spoken(message.text, voice))
        # Kept first: what somebody pays for is not lost, and what cannot be charged then is free.
        await self._recitals.keep(message.user, claim, sound)
        await self._tolls.charge(toll, toll.units, message.name, who.model.id)
        dollars = float(who.model.price * len(message.text) / CHARACTERS_PER_UNIT)
        log.info("message read aloud", model=who.model.id, characters=len(message.text), dollars=round(dollars, 6))
        return sound


def _check(message: Message) -> None:
    """Whether a message is one that can be read aloud."""
    if message.role is not Role.CHARACTER:
        raise _invalid("name", "is no message of a character")
    if message.state is State.STREAMING:
        raise Aborted("The character is still speaking.", reason="ANSWER_IN_PROGRESS")
    if not message.text.strip():
        raise _invalid("name", "is a message without words")


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])
