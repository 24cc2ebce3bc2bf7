"""What is to be kept of a conversation in which something was said already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.media import Media


@dataclass(frozen=True)
class Telling:
    """A conversation, which has its counts and its current message; its messages, parents first; and its announcement.

    `media` are those that its messages show and that its person does not keep yet.
    """

    conversation: Conversation
    messages: Sequence[Message]
    announced: Envelope
    media: Sequence[Media] = ()

    @property
    def shown(self) -> set[UUID]:
        """The ids of all media that its messages show."""
        return {media for one in self.messages for media in one.media}
