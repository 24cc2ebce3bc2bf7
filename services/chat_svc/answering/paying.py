"""What one answer may use: turns that are held a few at a time, more of them while it grows."""

from __future__ import annotations

import asyncio

import structlog

from runtime.errors import MeshError, QuotaExhausted
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.estimate import turns_of
from services.chat_svc.siblings import Quota

log = structlog.get_logger()

# The next turn is held before this one is used up, so that nobody waits for it.
AHEAD_SHARE = 0.8
# While quota_svc is away, an answer goes on for so many turns that are not held.
UNHELD_TURNS_MAX = 1


class Paying:
    """One answer's; a turn pays for `tokens_per_turn` tokens of output, and `held` turns are held.

    It costs `turns_max` at most, and what goes beyond is free. It may cost `units_max`, where that is not None, and
    ends there, though the first turn is held already.
    """

    def __init__(
        self,
        quota: Quota,
        answer: Message,
        tokens_per_turn: int,
        turns_max: int,
        units_max: int | None = None,
        held: int = 1,
    ) -> None:
        self._quota = quota
        self._answer = answer
        self._tokens_per_turn = tokens_per_turn
        self.turns_max = turns_max
        self.units_max = units_max
        self._held = held
        self._unheld = 0
        self._used_up = False
        self._more: asyncio.Task[bool] | None = None

    @property
    def held(self) -> int:
        """Turns that are held."""
        return self._held

    async def covers(self, tokens: int) -> bool:
        """Whether an answer of so many tokens is paid for; false when the person has nothing left for it."""
        if self._more is not None and self._more.done() and self._more.result():
            self._more = None
        turns = self._held + self._unheld
        if turns >= self.turns_max:
            return True
        room = turns * self._tokens_per_turn
        if self._more is None and tokens >= AHEAD_SHARE * room:
            self._more = asyncio.create_task(self._hold(self._held + 1))
        if tokens < room:
            return True
        more, self._more = self._more, None
        return more is None or await more

    async def close(self) -> None:
        """The answer grows no more: nothing is held ahead of it from now on."""
        if self._more is not None:
            self._more.cancel()
            await asyncio.gather(self._more, return_exceptions=True)

    async def cost(self, tokens: int) -> int:
        """Turns that an answer of so many tokens costs, once it is closed.

        Those that are not held yet are held now, as far as there is credit; it costs no more than is held then.
        """
        turns = min(turns_of(tokens, self._tokens_per_turn), self.turns_max)
        if self.units_max is not None:
            turns = min(turns, max(self._held, self.units_max // self._answer.price))
        if turns > self._held and not self._used_up:
            await self._hold_rest(turns)
        return min(turns, self._held)

    async def _hold(self, turns: int) -> bool:
        answer = self._answer
        if self.units_max is not None and turns * answer.price > self.units_max:
            return False
        try:
            await self._quota.extend(answer.hold, answer.meter, answer.units(turns))
        except QuotaExhausted:
            self._used_up = True
            return False
        except MeshError as error:
            log.warning("hold not extended", answer=str(answer.id), reason=error.reason)
            if self._unheld == UNHELD_TURNS_MAX:
                return False
            self._unheld += 1
            return True
        self._held = turns
        return True

    async def _hold_rest(self, turns: int) -> None:
        answer = self._answer
        try:
            units = await self._quota.extend(answer.hold, answer.meter, answer.units(turns), in_part=True)
        except MeshError as error:
            log.info("hold not extended in the end", answer=str(answer.id), reason=error.reason)
            return
        self._held = max(self._held, (units - answer.units(0)) // answer.price)
