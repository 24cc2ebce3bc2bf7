"""OpenAI's audio endpoints, and whatever else speaks them: what is said in a recording, and a text read aloud."""

from __future__ import annotations

import openai

from services.chat_svc.domain.audio import AudioModel, Heard, pieces
from services.chat_svc.domain.fault import Malformed, Stalled, Unreachable
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.media import AUDIO_ENDINGS, content_type
from services.chat_svc.providers.openai import OPENAI_URL, faults
from services.chat_svc.providers.provider import CONNECT_SECONDS
from services.chat_svc.providers.shape import text

# A model may think for so long.
CALL_SECONDS_MAX = 50.0
# What is said in 2.5 MiB, and what a text of 64,000 characters sounds like, are far less.
TRANSCRIPT_CHARACTERS_MAX = 100_000
SOUND_BYTES_MAX = 24 * 1024 * 1024


class Audio:
    """One model behind the OpenAI SDK. What fails is a ModelFault."""

    def __init__(self, model: AudioModel, key: str) -> None:
        self.model = model
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=model.base_url or OPENAI_URL,
            timeout=openai.Timeout(CALL_SECONDS_MAX, connect=CONNECT_SECONDS),
            max_retries=0,
        )

    async def close(self) -> None:
        await self._client.close()

    async def heard(self, content: bytes, kind: str, language: str) -> Heard:
        """What is said in a recording of this content type; in a language of ISO 639-1, or in whichever it is."""
        file = (f"recording.{AUDIO_ENDINGS[kind]}", content, kind)
        async with faults(Unreachable, Stalled, prefixed=False):
            told = await self._client.audio.transcriptions.create(
                model=self.model.provider_model,
                file=file,
                response_format="verbose_json" if self.model.told_length else "json",
                language=language or openai.omit,
            )
            # The SDK builds its objects without checking them.
            said = text(getattr(told, "text", 0))
            if len(said) > TRANSCRIPT_CHARACTERS_MAX:
                raise Malformed("more is said than there can be")
            return Heard(spoken(said).strip(), _seconds(told))

    async def spoken(self, said: str, voice: str) -> bytes:
        """A text read aloud, as MP3."""
        sound = bytearray()
        for piece in pieces(said, self.model.characters_max):
            sound += await self._piece(piece, voice, SOUND_BYTES_MAX - len(sound))
        return bytes(sound)

    async def _piece(self, said: str, voice: str, bytes_max: int) -> bytes:
        sound = bytearray()
        async with (
            faults(Unreachable, Stalled, prefixed=False),
            self._client.audio.speech.with_streaming_response.create(
                model=self.model.provider_model, input=said, voice=voice, response_format="mp3"
            ) as response,
        ):
            async for chunk in response.iter_bytes():
                sound += chunk
                if len(sound) > bytes_max:
                    raise Malformed("more is spoken than there can be")
        if content_type(bytes(sound[:64])) != "audio/mpeg":
            raise Malformed("what is spoken is no MP3")
        return bytes(sound)


def _seconds(told: object) -> float | None:
    """How long a recording is, as far as the model tells it: as such, or as what it takes money for."""
    for holder, name in ((told, "duration"), (getattr(told, "usage", None), "seconds")):
        seconds = getattr(holder, name, None)
        if isinstance(seconds, int | float) and 0 < seconds < 1e6:
            return float(seconds)
    return None
