"""What a person asks for in a turn."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.chat_svc.domain.routing import Choice


@dataclass(frozen=True)
class Wish:
    """What a person says, and who should answer; `request_id` is empty where a retry is not meant to be safe.

    It is said after the message `after`, which is the last of the chosen branch where it is None. With `instead_of` it
    stands beside that message of theirs; with `again`, nothing is said and that answer gets a sibling.
    """

    text: str
    request_id: str
    choice: Choice
    media: tuple[UUID, ...] = ()
    speakers: tuple[str, ...] = ()
    after: UUID | None = None
    instead_of: UUID | None = None
    again: UUID | None = None
