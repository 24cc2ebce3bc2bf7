"""Summaries: what stays of turns that no prompt has room for any more."""

from __future__ import annotations

from services.chat_svc.domain.aside import summary, summary_aside
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.prompt import outgrown
from services.chat_svc.models.router import Router
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.standings import Standings
from services.chat_svc.store import Conversations
from services.chat_svc.store.transcripts import Transcripts

# Below it, no plan's room is nearly full.
PROMPT_TOKENS_MIN = 1_000
# What one summary is made of beside the one before it. Of more, the rest waits for the next answer.
RETOLD_TOKENS_MAX = 12_000


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
        conversation = await self._conversations.conversation(answer.user, answer.conversation)
        standing = await self._standings.standing(answer.user)
        scene = await self._scenes.scene(conversation, answer.character, answer.id, None)
        older = outgrown(scene, model.prompt_tokens_max(standing.context_tokens), RETOLD_TOKENS_MAX)
        if not older:
            return
        made = summary(await self._asking.ask(summary_aside(scene.cast, scene.summary, older)))
        if made:
            await self._transcripts.summarise(conversation, made, older[-1].id)
