"""What people keep for their messages, and what becomes of it when no message shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid5

import structlog

from runtime.errors import MeshError
from services.chat_svc.domain.media import AUDIO_ENDINGS, IMAGE_TYPES, Media, content_type, no_media
from services.chat_svc.media.pixels import Pixels
from services.chat_svc.store.media import KeptMedia

log = structlog.get_logger()

# What the ids of media are made of, with the user and the request id.
NAMESPACE = UUID("7b9d4f0e-6d6f-5c0f-9a44-0d8a2f3f6a51")

SWEEP_SECONDS = 60.0


class Shelf:
    """Keeps images and recordings; `clock` gives the present in UTC, `new_id` an id."""

    def __init__(
        self, kept: KeptMedia, pixels: Pixels, clock: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self._kept = kept
        self._pixels = pixels
        self._clock = clock
        self._new_id = new_id

    async def keep(self, user: str, content: bytes, request_id: str) -> Media:
        """Keeps what the bytes are; the same for a retry with the same request id.

        INVALID_ARGUMENT for what is neither an image nor a recording, or a broken one.
        """
        media_id = uuid5(NAMESPACE, f"{user} {request_id.lower()}") if request_id else self._new_id()
        earlier = await self._kept.find_made_of(user, media_id, content) if request_id else None
        if earlier is not None:
            return earlier
        return await self._kept.add(await self.checked(user, content, media_id), content)

    async def checked(self, user: str, content: bytes, media_id: UUID) -> Media:
        """What the bytes are, safe to be shown, for somebody else to keep. INVALID_ARGUMENT as in `keep`."""
        kind = content_type(content)
        if kind in IMAGE_TYPES:
            picture = await self._pixels.clean(content, kind)
            return Media(user, media_id, kind, picture.content, picture.width, picture.height, self._clock())
        if kind in AUDIO_ENDINGS:
            return Media(user, media_id, kind, content, 0, 0, self._clock())
        raise no_media("is none of PNG, JPEG, WebP, GIF, MP3, WAV, OGG, FLAC, M4A and WebM")

    async def pixels(self, content: bytes) -> int:
        """Of how many an image says that it is made, before any is decoded; INVALID_ARGUMENT for what is no image."""
        kind = content_type(content)
        if kind not in IMAGE_TYPES:
            raise no_media("is none of PNG, JPEG, WebP and GIF")
        return await self._pixels.count(content, kind)

    async def get(self, user: str, media_id: UUID) -> Media:
        """One of the user's; NOT_FOUND when they have no such."""
        return await self._kept.get(user, media_id)

    async def run(self) -> None:
        """Deletes what nobody shows, every minute, until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self._kept.sweep(self._clock())
            except MeshError as error:
                log.warning("media not swept", reason=error.reason)
            except Exception:
                log.exception("defect in sweeping media")
