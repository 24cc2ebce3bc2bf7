"""What conversations in files name beside themselves."""

from __future__ import annotations

from dataclasses import dataclass

from services.chat_svc.media.shelf import Shelf
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.store.characters import CustomCharacters
from services.chat_svc.store.media import KeptMedia


@dataclass(frozen=True)
class Sources:
    """Where characters and media come from when a conversation goes out, and go to when one comes in."""

    characters: Characters
    custom: CustomCharacters
    shelf: Shelf
    media: KeptMedia
