"""What a turn would cost, before it is sent."""

from __future__ import annotations

from uuid import UUID

from services.chat_svc.domain.conversation import METER
from services.chat_svc.domain.estimate import Estimate
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.routing import EXPECTED_OUTPUT_TOKENS, Choice
from services.chat_svc.siblings import PREMIUM_METER, Characters, Quota
from services.chat_svc.speech import Speech
from services.chat_svc.store import Conversations
from services.chat_svc.turns import HISTORY_MAX


class Estimating:
    """Holds nothing and calls no model."""

    def __init__(self, conversations: Conversations, characters: Characters, quota: Quota, speech: Speech) -> None:
        self._conversations = conversations
        self._characters = characters
        self._quota = quota
        self._speech = speech

    async def estimate(self, user: str, conversation_id: UUID, text: str, choice: Choice) -> Estimate:
        conversation = await self._conversations.conversation(user, conversation_id)
        persona = await self._characters.persona(conversation.character)
        history = await self._conversations.last_messages(user, conversation_id, HISTORY_MAX)
        standing = await self._quota.standing(user)
        premium = self._speech.is_premium(choice) and standing.pays(PREMIUM_METER, 1)
        reservation = standing.reservation(PREMIUM_METER if premium else METER, premium=premium)
        draft = self._speech.draft(persona, history, text, reservation, choice)
        model = self._speech.first_model(draft.wanted)
        if model is None:
            return Estimate(reservation.meter, 0, 0, None, 0, reservation.context_tokens, affordable=False)
        likely = _turns(EXPECTED_OUTPUT_TOKENS, model) * reservation.price
        return Estimate(
            reservation.meter,
            likely,
            _turns(model.output_tokens_max, model) * reservation.price,
            model,
            draft.prompt(model).tokens,
            model.prompt_tokens_max(reservation.context_tokens),
            standing.pays(reservation.meter, likely),
        )


def _turns(tokens: int, model: Model) -> int:
    return max(1, -(-tokens // model.tokens_per_turn))
