"""What a turn would cost, before it is sent."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.chat_svc.answering.speech import Speech
from services.chat_svc.domain.estimate import Cost, Estimate, round_cost, turns_of
from services.chat_svc.domain.routing import EXPECTED_OUTPUT_TOKENS, Choice
from services.chat_svc.domain.scene import IMAGE_TOKENS_MAX, PIXELS_PER_TOKEN, Image
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.siblings import Shown
from services.chat_svc.standings import Standings
from services.chat_svc.store import Conversations
from services.chat_svc.turning.casting import Casting

# How large the images would be is not known: none is refused for it, and each counts as much as one can.
SMALLEST = Image("", b"")
LARGEST = Image("", b"", IMAGE_TOKENS_MAX * PIXELS_PER_TOKEN)


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

    async def estimate(self, user: str, conversation_id: UUID, text: str, choice: Choice, images: int = 0) -> Estimate:
        """In a group, of the whole round; of one answer where only the person says who answers.

        Refused as the turn would be where no model could answer it.
        """
        conversation = await self._conversations.conversation(user, conversation_id)
        self._speech.check(choice)
        premium = self._speech.needs_premium(images > 0, choice)
        speakers = await self._casting.speakers(conversation, conversation.current, text) or conversation.cast[:1]
        # Nobody waits for a portrait to learn a price; those that are not known yet are fetched for the turn to come.
        scene = await self._scenes.scene(
            conversation, speakers[0], conversation.current, text, (SMALLEST,) * images, portraits_seconds=0
        )
        standing = await self._standings.standing(user)
        shown = await self._standings.shown(user, images) if images else Shown()
        reservation = standing.reservation(premium=premium)
        draft = self._speech.draft(scene, reservation, choice)
        self._speech.check_able(draft)
        model = self._speech.first_model(draft.wanted)
        if model is None:
            return Estimate(
                reservation.meter, 0, 0, None, 0, reservation.context_tokens, False, shown.units, shown.meter
            )
        answer = Cost(
            reservation.price,
            turns_of(EXPECTED_OUTPUT_TOKENS, model.tokens_per_turn) * reservation.price,
            turns_of(self._speech.output_tokens_max(draft.wanted), model.tokens_per_turn) * reservation.price,
        )
        cost = answer if conversation.group is None else round_cost(conversation.group, len(speakers), answer)
        return Estimate(
            reservation.meter,
            cost.likely,
            cost.maximum,
            model,
            replace(draft, scene=replace(scene, images=(LARGEST,) * images)).prompt(model).tokens,
            model.prompt_tokens_max(reservation.context_tokens),
            standing.pays(reservation.meter, cost.likely, shown),
            shown.units,
            shown.meter,
        )
