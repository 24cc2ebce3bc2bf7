"""Images in turns: those that the person shows now, and those that they showed before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from runtime.errors import InvalidArgument, Violation
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.media import Media
from services.chat_svc.domain.scene import Image, shown_again
from services.chat_svc.store.media import KeptMedia, missing


class Showing:
    """Reads; changes nothing."""

    def __init__(self, kept: KeptMedia) -> None:
        self._kept = kept

    async def images(self, user: str, ids: Sequence[UUID]) -> tuple[Image, ...]:
        """What a turn shows. NOT_FOUND for what the user does not have, INVALID_ARGUMENT for a recording."""
        if not ids:
            return ()
        found = await self._kept.several(user, ids)
        if len(found) < len(ids):
            raise missing()
        if not all(one.is_image for one in found):
            fault = Violation("media", "is a recording; only images can be shown: Transcribe writes down what it says")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
        return tuple(_image(one) for one in found)

    async def again(self, user: str, history: Sequence[Message]) -> Mapping[UUID, Image]:
        """The newest images of the messages, as far as they are still there."""
        ids = shown_again(history)
        if not ids:
            return MappingProxyType({})
        return {one.id: _image(one) for one in await self._kept.several(user, ids) if one.is_image}


def _image(media: Media) -> Image:
    return Image(media.content_type, media.content, media.width * media.height)
