"""What a turn would cost, before it is sent."""

from __future__ import annotations

from uuid import UUID

from services.chat_svc.answering.speech import Speech
from services.chat_svc.domain.estimate import Cost, Estimate, round_cost
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.routing import EXPECTED_OUTPUT_TOKENS, Choice
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.standings import Standings
from services.chat_svc.store import Conversations
from services.chat_svc.turning.casting import Casting


class Estimating:
    """Holds nothing and calls no model."""

    def __init__(
        self, conversations: Conversations, casting: Casting, scenes: Scenes, standings: Standings, speech: Speech
    ) -> None:
        self._conversations = conversations
        self._casting = casting
        self._scenes = scenes
        self._standings = standings
        self._speech = speech

    async def estimate(self, user: str, conversation_id: UUID, text: str, choice: Choice) -> Estimate:
        """In a group, of the whole round; of one answer where only the person says who answers."""
        conversation = await self._conversations.conversation(user, conversation_id)
        self._speech.check(choice)
        speakers = await self._casting.speakers(conversation, conversation.current, text) or conversation.cast[:1]
        # Nobody waits for a portrait to learn a price; those that are not known yet are fetched for the turn to come.
        scene = await self._scenes.scene(conversation, speakers[0], conversation.current, text, portraits_seconds=0)
        standing = await self._standings.standing(user)
        reservation = standing.reservation(premium=self._speech.is_premium(choice))
        draft = self._speech.draft(scene, reservation, choice)
        model = self._speech.first_model(draft.wanted)
        if model is None:
            return Estimate(reservation.meter, 0, 0, None, 0, reservation.context_tokens, affordable=False)
        answer = Cost(
            reservation.price,
            _turns(EXPECTED_OUTPUT_TOKENS, model) * reservation.price,
            _turns(self._speech.output_tokens_max(draft.wanted), model) * reservation.price,
        )
        cost = answer if conversation.group is None else round_cost(conversation.group, len(speakers), answer)
        return Estimate(
            reservation.meter,
            cost.likely,
            cost.maximum,
            model,
            draft.prompt(model).tokens,
            model.prompt_tokens_max(reservation.context_tokens),
            standing.pays(reservation.meter, cost.likely),
        )


def _turns(tokens: int, model: Model) -> int:
    return max(1, -(-tokens // model.tokens_per_turn))
