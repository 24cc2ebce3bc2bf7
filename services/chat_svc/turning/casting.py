"""Who speaks in a round."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.group import TurnOrder, chance, speakers
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.store import Rounds

# Of a branch, so many messages say who has not spoken for the longest time.
SPOKEN_MAX = 400


class Casting:
    """Reads; changes nothing."""

    def __init__(self, rounds: Rounds, characters: Characters) -> None:
        self._rounds = rounds
        self._characters = characters

    async def speakers(
        self, conversation: Conversation, after: UUID | None, text: str, asked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Who answers what the person says after the message `after`, in this order.

        Those who are `asked` to, where anybody is. Nobody in a group of manual turns where nobody is asked.
        """
        group = conversation.group
        if asked:
            return tuple(asked)
        if group is None:
            return (conversation.character,)
        pooled = group.turn_order is TurnOrder.POOLED
        spoken = await self._rounds.spoken(conversation.user, conversation.id, after, SPOKEN_MAX if pooled else 1)
        position = spoken[-1][0] if spoken else 0
        who = [character for _, character in spoken if character]
        return speakers(group, await self._names(conversation), text, who, chance(group, position))

    async def _names(self, conversation: Conversation) -> dict[str, str]:
        """The display names of everybody in it, by the character's name."""
        names = await self._characters.display_names(conversation.user, conversation.cast)
        return dict(zip(conversation.cast, names, strict=True))
