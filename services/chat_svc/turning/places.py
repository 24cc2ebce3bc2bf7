"""Where a turn goes in a conversation, and who speaks in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from runtime.errors import InvalidArgument, Violation
from services.chat_svc.domain.conversation import Conversation, Message, Role
from services.chat_svc.domain.group import TurnOrder, fault_of, fitting
from services.chat_svc.domain.wish import Wish
from services.chat_svc.store import Messages, Rounds
from services.chat_svc.turning.casting import Casting


@dataclass(frozen=True)
class Place:
    """Where a turn goes: the `speakers` answer what is said after `after`, one after another.

    `answered` is the message that they answer where it is there already, and `asks` says that it is not. That message
    shows `media`; `sees` says that something was shown by what the speakers before answered.
    """

    speakers: tuple[str, ...]
    after: UUID | None
    text: str | None
    answered: UUID | None = None
    asks: bool = False
    media: tuple[UUID, ...] = ()
    sees: bool = False


class Places:
    """Reads; changes nothing."""

    def __init__(self, messages: Messages, rounds: Rounds, casting: Casting) -> None:
        self._messages = messages
        self._rounds = rounds
        self._casting = casting

    async def place(self, conversation: Conversation, wish: Wish) -> Place:
        """NOT_FOUND for a message that is not there, INVALID_ARGUMENT for one of the wrong side."""
        if wish.again is not None:
            return await self._again(conversation, await self.answer(conversation, wish.again))
        if wish.instead_of is not None:
            return await self._instead(conversation, await self.question(conversation, wish.instead_of), wish.text)
        if wish.after is not None:
            await self._messages.get(conversation.user, conversation.id, wish.after)
        place = await self._behind(conversation, wish.after or conversation.current, wish.text, wish.speakers)
        return replace(place, media=wish.media)

    async def answer(self, conversation: Conversation, answer: UUID) -> Message:
        """A character's message."""
        found = await self._messages.get(conversation.user, conversation.id, answer)
        if found.role is not Role.CHARACTER:
            raise _invalid("name", "is no message of a character")
        return found

    async def question(self, conversation: Conversation, question: UUID) -> Message:
        """A message of the person's."""
        found = await self._messages.get(conversation.user, conversation.id, question)
        if found.role is not Role.USER:
            raise _invalid("name", "is no message of the person")
        return found

    async def _again(self, conversation: Conversation, earlier: Message) -> Place:
        """Beside an earlier answer; the rest of its round follows, as it did then."""
        followed = await self._rounds.followed(earlier)
        speakers = tuple(one for one in followed if one in conversation.cast) or (conversation.character,)
        if earlier.parent is not None:
            answered = await self._messages.get(earlier.user, earlier.conversation, earlier.parent)
            if answered.role is Role.USER:
                return Place(speakers, answered.parent, answered.text, answered.id, media=answered.media)
        return Place(speakers, earlier.parent, None, earlier.parent, sees=await self._rounds.shows(earlier))

    async def _instead(self, conversation: Conversation, said: Message, text: str) -> Place:
        """Beside what the person said, with what they showed; where only they say who answers, the same ones do."""
        group, asked = conversation.group, list[str]()
        if group is not None and group.turn_order is TurnOrder.MANUAL:
            asked = fitting(group, conversation.cast, await self._rounds.answered(said))
        place = await self._behind(conversation, said.parent, text, asked)
        return replace(place, media=said.media)

    async def _behind(self, conversation: Conversation, after: UUID | None, text: str, asked: Sequence[str]) -> Place:
        if fault := fault_of(conversation.group, conversation.cast, asked):
            raise _invalid("speakers", fault)
        return Place(await self._casting.speakers(conversation, after, text, asked), after, text, asks=True)


def _invalid(field: str, description: str) -> InvalidArgument:
    fault = Violation(field, description)
    return InvalidArgument(f"{field}: {description}", violations=[fault])
