"""Scenes, and the prompts that are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.chat_svc.domain.conversation import Message, Role
from services.chat_svc.domain.ending import estimated_tokens

# What a model's own format adds to each message.
TOKENS_PER_TURN = 4

# Of an image: a token stands for so many pixels, and models make larger ones smaller first.
PIXELS_PER_TOKEN = 750
IMAGE_TOKENS_MAX = 1_600

# Of earlier images the newest are shown again, at least as many as one message may show; of others the prompt says that
# there was one. They leave it so many at a time, since each time all that was said after them is new to a provider's
# cache.
AGAIN = 4
LEAVING = 2


@dataclass(frozen=True)
class Persona:
    """Who speaks: the character as the catalogue has it, or as the person made it up."""

    display_name: str
    title: str
    persona: str
    character: str = ""


@dataclass(frozen=True)
class Image:
    """A picture that the person shows; `content` are its bytes."""

    content_type: str
    content: bytes = field(repr=False)
    pixels: int = 0

    @property
    def tokens(self) -> int:
        """An estimate."""
        return min(-(-self.pixels // PIXELS_PER_TOKEN), IMAGE_TOKENS_MAX)


@dataclass(frozen=True)
class Scene:
    """What a prompt is made of, whichever model gets it.

    `speaker` answers, one of `cast`. `history` is the branch up to what is answered, without what `summary` covers;
    `pinned` are messages from before it. `text` is what the person says now, with `images`; None where an answer
    follows on another. `shown` are those images of the history that are shown again. A history that is `cut` is not all
    that was said since the summary.
    """

    speaker: Persona
    cast: tuple[Persona, ...]
    history: Sequence[Message]
    text: str | None
    images: tuple[Image, ...] = ()
    summary: str = ""
    pinned: Sequence[Message] = ()
    shown: Mapping[UUID, Image] = field(default_factory=dict)
    cut: bool = False

    @property
    def is_to_be_seen(self) -> bool:
        """Whether the speaker is to see something: the person shows it now, or what the speakers before answered."""
        if self.text is not None:
            return bool(self.images)
        question = next((one for one in reversed(self.history) if one.role is Role.USER), None)
        return question is not None and any(one in self.shown for one in question.media)


@dataclass(frozen=True)
class Turn:
    """What one side says, with what it shows."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()

    @property
    def tokens(self) -> int:
        """An estimate."""
        return estimated_tokens(self.text) + sum(image.tokens for image in self.images) + TOKENS_PER_TURN


@dataclass(frozen=True)
class Prompt:
    """A system part and turns, the sides by turns; the first and the last turn are the person's."""

    system: str
    turns: tuple[Turn, ...]

    @property
    def tokens(self) -> int:
        """An estimate."""
        return estimated_tokens(self.system) + sum(turn.tokens for turn in self.turns)


def shown_again(history: Sequence[Message]) -> Sequence[UUID]:
    """The images of a history that are shown again, oldest first."""
    ids = [one for message in history for one in message.media]
    left = max(0, len(ids) - AGAIN)
    return ids[left // LEAVING * LEAVING :]
