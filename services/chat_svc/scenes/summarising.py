"""Summaries: what stays of turns that no prompt has room for any more."""

from __future__ import annotations

from collections.abc import Sequence

from services.chat_svc.domain.aside import summary, summary_aside
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.ending import BYTES_PER_TOKEN
from services.chat_svc.domain.prompt import Scene, outgrown, whole_turns
from services.chat_svc.models.router import Router
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.scenes import MESSAGES_MAX, Scenes
from services.chat_svc.standings import Standings
from services.chat_svc.store import Conversations
from services.chat_svc.store.transcripts import Transcripts

# Below it, no plan's room is nearly full.
PROMPT_TOKENS_MIN = 1_000
# What one summary is made of beside the one before it.
RETOLD_TOKENS_MAX = 12_000
RETOLD_MESSAGES_MAX = 500
# Summaries after one answer, each of the one before it. The rest waits for the next answer.
STEPS_MAX = 4
# A branch of so many is summarised before only a part of it is read.
MESSAGES_FULL = MESSAGES_MAX * 85 // 100


class Summarising:
    """After an answer that nearly filled its model's room, the older turns become a part of the summary.

    They are those that the window would leave out next: so nothing is missing in between, and the beginning of the
    prompt changes once.
    """

    def __init__(
        self,
        asking: Asking,
        router: Router,
        conversations: Conversations,
        transcripts: Transcripts,
        scenes: Scenes,
        standings: Standings,
    ) -> None:
        self._asking = asking
        self._models = router
        self._conversations = conversations
        self._transcripts = transcripts
        self._scenes = scenes
        self._standings = standings

    async def after(self, answer: Message) -> None:
        model = next((one for one in self._models.models if one.id == answer.model), None)
        # The small room of a last resort says nothing of the rooms that come after it.
        if model is None or model.last_resort or answer.prompt_tokens < PROMPT_TOKENS_MIN:
            return
        standing = await self._standings.standing(answer.user)
        tokens_max = model.prompt_tokens_max(standing.context_tokens)
        for _ in range(STEPS_MAX):
            if not await self._step(answer, tokens_max):
                return

    async def _step(self, answer: Message, tokens_max: int) -> bool:
        """Whether the summary covers more now."""
        conversation = await self._conversations.conversation(answer.user, answer.conversation)
        scene = await self._scenes.scene(conversation, answer.character, answer.id, None)
        before, older = await self._older(conversation, scene, answer, tokens_max)
        if not older or before not in ("", conversation.summary):
            return False
        aside = summary_aside(scene.cast, before, older)
        while len(older) > 1 and not self._asking.has_room(aside):
            older = whole_turns(older, len(older) // 2)
            aside = summary_aside(scene.cast, before, older)
        made = summary(await self._asking.ask(aside))
        return made != "" and await self._transcripts.summarise(conversation, made, older)

    async def _older(
        self, conversation: Conversation, scene: Scene, answer: Message, tokens_max: int
    ) -> tuple[str, Sequence[Message]]:
        """What is summarised next, and the summary of what was said before it."""
        if not scene.cut and len(scene.history) < MESSAGES_FULL:
            return scene.summary, outgrown(scene, tokens_max, RETOLD_TOKENS_MAX)
        # No prompt has the beginning of such a branch, however much room there is: that comes first.
        bytes_max = RETOLD_TOKENS_MAX * BYTES_PER_TOKEN
        part = await self._transcripts.oldest(conversation, answer.id, RETOLD_MESSAGES_MAX, bytes_max)
        return part.summary, whole_turns(part.messages, max(1, len(part.messages) - 1))
