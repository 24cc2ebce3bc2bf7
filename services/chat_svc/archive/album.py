"""The images that a file's messages show, as whoever opens it keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID, uuid5

from runtime.errors import InvalidArgument
from services.chat_svc.archive.story import Story, Told
from services.chat_svc.domain.media import IMAGE_TYPES, Media
from services.chat_svc.media.shelf import Shelf
from services.chat_svc.store.media import KeptMedia

# What the ids of images that came in files are made of, with the user and the bytes: the same image is kept once.
NAMESPACE = UUID("b7f5c9a2-3f0e-5d7b-8a51-6c2f0e9d4b18")

# All images of a file are decoded in as much time as four of the largest.
PIXELS_MAX = 100_000_000


class Album:
    """The images of one file. `owned` are those that the user has; what cannot be had counts as `left_behind`."""

    def __init__(self, shelf: Shelf, user: str, owned: set[UUID]) -> None:
        self._shelf = shelf
        self._user = user
        self._owned = owned
        self._had: dict[UUID, Media | None] = {}
        self._pixels = 0
        self.left_behind = 0

    async def images(self, story: Story) -> Mapping[UUID, Media | UUID]:
        """What the user keeps of what the story's messages show, by its name there: theirs by its id, or a new one."""
        found: dict[UUID, Media | UUID] = {}
        for name in dict.fromkeys(media for one in story.lines for media in one.media):
            image = name if name in self._owned else await self._brought(story.pictures.get(name, b""))
            if image is None:
                self.left_behind += 1
            else:
                found[name] = image
        return found

    async def _brought(self, content: bytes) -> Media | UUID | None:
        image_id = _id(self._user, content)
        if image_id in self._owned:
            return image_id
        if image_id not in self._had:
            self._had[image_id] = await self._checked(image_id, content)
        return self._had[image_id]

    async def _checked(self, image_id: UUID, content: bytes) -> Media | None:
        """The image as an upload would keep it; None for one that is none, or one too many."""
        try:
            self._pixels += await self._shelf.pixels(content)
            return await self._shelf.checked(self._user, content, image_id) if self._pixels <= PIXELS_MAX else None
        except InvalidArgument:
            return None


async def album(shelf: Shelf, kept: KeptMedia, user: str, told: Told) -> Album:
    """The album of a file."""
    stories = [one for one in told if isinstance(one, Story)]
    names = {media for story in stories for one in story.lines for media in one.media}
    ids = names | {_id(user, content) for story in stories for content in story.pictures.values()}
    sizes = await kept.sizes(user, list(ids)) if ids else {}
    return Album(shelf, user, {one.id for one in sizes.values() if one.content_type in IMAGE_TYPES})


def _id(user: str, content: bytes) -> UUID:
    return uuid5(NAMESPACE, f"{user} {hashlib.sha256(content).hexdigest()}")
