"""Files as conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid5

from services.chat_svc.announcing import Announcing
from services.chat_svc.archive import libre_chat, open_web_ui, ours, silly_tavern
from services.chat_svc.archive.album import Album, album
from services.chat_svc.archive.casting import Casting
from services.chat_svc.archive.retelling import conversation, messages
from services.chat_svc.archive.sources import Sources
from services.chat_svc.archive.story import Story, Told, Untold
from services.chat_svc.domain.archive import Format, Imported, Skipped
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.media import Media
from services.chat_svc.store.media import too_much
from services.chat_svc.store.messages import PINS_MAX
from services.chat_svc.store.telling import Telling
from services.chat_svc.store.told import Told as Opened

READERS: dict[Format, Callable[[bytes], Told]] = {
    Format.JSON: ours.read,
    Format.SILLY_TAVERN: silly_tavern.read,
    Format.LIBRE_CHAT: libre_chat.read,
    Format.OPEN_WEB_UI: open_web_ui.read,
}

# So many are opened at once: a round trip each would take longer than the call may, and what is opened at once waits
# for all of it.
BATCH_CONVERSATIONS = 250
BATCH_MESSAGES = 5_000
BATCH_MEDIA_BYTES = 16 * 1024 * 1024


class Importing:
    """`clock` gives the present in UTC."""

    def __init__(self, opened: Opened, sources: Sources, announcing: Announcing, clock: Callable[[], datetime]) -> None:
        self._opened = opened
        self._sources = sources
        self._announcing = announcing
        self._clock = clock

    async def take(self, user: str, content: bytes, kind: Format, character: str, request: UUID) -> Imported:
        """Opens what a file holds; `character` is whom the person talked to where the file does not say.

        The same `request` opens the same conversations. INVALID_ARGUMENT for a file that is none of its kind.
        """
        told = await asyncio.to_thread(READERS[kind], content)
        sources = self._sources
        casting = Casting(sources.characters, sources.custom, self._clock, user, character)
        images = await album(sources.shelf, sources.media, user, told)
        batch = _Batch(self._opened)
        for place, story in enumerate(told, 1):
            try:
                if isinstance(story, Untold):
                    raise story
                identifier = uuid5(request, f"{user}/{place}")
                await batch.add(place, await self._telling(user, story, identifier, casting, images))
            except Untold as error:
                batch.skipped.append(Skipped(place, error.title, error.why))
        await batch.keep()
        skipped = sorted(batch.skipped, key=lambda one: one.place)
        return Imported(tuple(batch.conversations), tuple(skipped), images.left_behind)

    async def _telling(self, user: str, story: Story, identifier: UUID, casting: Casting, images: Album) -> Telling:
        if sum(one.pinned for one in story.lines) > PINS_MAX:
            raise Untold(story.title, f"It has more than {PINS_MAX} pinned messages.")
        cast = await casting.cast(story)
        opened = conversation(user, story, identifier, cast, self._clock())
        found = await images.images(story)
        kept = {name: one.id if isinstance(one, Media) else one for name, one in found.items()}
        new = [one for one in found.values() if isinstance(one, Media)]
        # A long one would hold up answers here.
        said = await asyncio.to_thread(messages, opened, story, cast, kept)
        return Telling(opened, said, self._announcing.opened(opened), new)


class _Batch:
    """Conversations that are waiting to be opened together."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._waiting: list[tuple[int, Telling]] = []
        self._messages = 0
        self._media_bytes = 0
        self.conversations: list[Conversation] = []
        self.skipped: list[Skipped] = []

    async def add(self, place: int, telling: Telling) -> None:
        """Opens what is waiting, once it is much."""
        self._waiting.append((place, telling))
        self._messages += len(telling.messages)
        self._media_bytes += sum(len(one.content) for one in telling.media)
        many = len(self._waiting) >= BATCH_CONVERSATIONS or self._messages >= BATCH_MESSAGES
        if many or self._media_bytes >= BATCH_MEDIA_BYTES:
            await self.keep()

    async def keep(self) -> None:
        """Opens what is waiting."""
        if not self._waiting:
            return
        kept = await self._opened.several([telling for _, telling in self._waiting])
        for (place, telling), one in zip(self._waiting, kept, strict=True):
            if one is None:
                self.skipped.append(Skipped(place, telling.conversation.display_name, too_much().message))
            else:
                self.conversations.append(one)
        self._waiting, self._messages, self._media_bytes = [], 0, 0
