"""What nobody foresaw in going on with a round ends no process, though ending the round fails as well."""

import asyncio
from inspect import signature
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.domain.routing import Choice, Preference
from services.chat_svc.turning.rounds import Rounds
from tests.unit.chat_svc.messages import ANSWER

WAIT_SECONDS = 60.0
LEFT = Round(Plan(("characters/holmes", "characters/watson"), Choice(preference=Preference.FAST), None, 0))


class Store:
    """Fails as nobody foresaw; `ended` tells how often a round was to end."""

    def __init__(self) -> None:
        self.ended = asyncio.Semaphore(0)

    async def conversation(self, _: str, __: UUID) -> Conversation:
        raise RuntimeError("nobody foresaw this")

    async def end(self, _: Message) -> Message:
        self.ended.release()
        raise AttributeError("nor this")


async def test_a_round_that_cannot_even_be_ended_ends_nobody_elses() -> None:
    store = Store()
    nobody: dict[str, Any] = dict.fromkeys(signature(Rounds).parameters)
    with capture_logs() as logs:
        async with asyncio.timeout(WAIT_SECONDS), Rounds(**{**nobody, "conversations": store, "kept": store}) as rounds:
            for _ in range(2):
                rounds.follow(LEFT, ANSWER)
                await store.ended.acquire()
    assert [one["event"] for one in logs if one.get("exc_info")] == [
        "defect in a round",
        "defect in ending a round",
    ] * 2
