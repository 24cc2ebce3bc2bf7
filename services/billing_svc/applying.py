"""Tells quota_svc what follows from what was bought: in order for one user, each thing until it is acknowledged.

Every effect has an id that quota_svc knows it by, so that one which was told and not noted as told is told again and
changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import grpc
import structlog

from runtime.errors import MeshError
from scenemesh.quota.v1 import quota_pb2_grpc
from services.billing_svc.convert import effects as convert
from services.billing_svc.domain.effect import Adjust, Effect, Grant, SetPlan
from services.billing_svc.store import Effects, Waiting
from services.billing_svc.store.effects import Line

log = structlog.get_logger()

POLL_SECONDS = 1.0
USERS_MAX = 32
# Each has a connection of the pool until quota_svc has answered; the others are for those who are not waiting.
USERS_AT_ONCE = 4
CALL_SECONDS = 2.0
PAUSE_SECONDS_MAX = 300.0
# After so many attempts the pause no longer grows.
GROWING_ATTEMPTS_MAX = 6
# Of whom nobody can tell just now is told later, and holds up nobody else.
LATER = timedelta(minutes=1)

# What quota_svc answers to what it will never take, however often it is told.
REFUSALS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)


class Applying:
    """`clock` gives the present in UTC."""

    def __init__(
        self, effects: Effects, quota: quota_pb2_grpc.QuotaServiceAsyncStub, clock: Callable[[], datetime]
    ) -> None:
        self._effects = effects
        self._quota = quota
        self._clock = clock
        self._nudged = asyncio.Event()
        self._room = asyncio.Semaphore(USERS_AT_ONCE)

    def nudge(self) -> None:
        """Says that there is something to tell, so that nobody waits for the next look. Call it after the commit."""
        self._nudged.set()

    async def run(self) -> None:
        """Tells until it is cancelled."""
        while True:
            self._nudged.clear()
            more = False
            try:
                more = await self._some()
            except MeshError as error:
                log.warning("effects wait", reason=error.reason)
            except Exception:
                log.exception("defect in looking for effects")
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._nudged.wait()

    async def _some(self) -> bool:
        """Tells of those who have waited longest; whether to go on at once: more may wait, and something was told."""
        users = await self._effects.users(self._clock(), USERS_MAX)
        settled = await asyncio.gather(*[self._one(user) for user in users])
        return len(users) == USERS_MAX and any(settled)

    async def _one(self, user: str) -> bool:
        async with self._room:
            try:
                return await self.apply(user)
            except MeshError as error:
                log.warning("effects wait", reason=error.reason)
            except Exception:
                log.exception("defect in telling effects")
                await self._postpone(user)
        return False

    async def _postpone(self, user: str) -> None:
        try:
            async with self._effects.line(user) as line:
                if line is not None:
                    await line.postponed(self._clock() + LATER)
        except Exception:
            log.exception("effects not postponed")

    async def apply(self, user: str) -> bool:
        """Tells all that waits for a user, unless another process does; whether any of it waits no longer."""
        settled = False
        async with self._effects.line(user) as line:
            if line is not None:
                for one in await line.waiting():
                    if not await self._tell(line, one):
                        break
                    settled = True
        return settled

    async def _tell(self, line: Line, one: Waiting) -> bool:
        """Whether those behind it can be told."""
        try:
            await self._call(one.user, one.effect)
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS:
                log.error("effect refused", effect=str(one.effect.id), code=error.code().name, details=error.details())
                await line.refused(one, convert.refusal(error))
                return True
            pause = min(0.2 * 4.0 ** min(one.attempts, GROWING_ATTEMPTS_MAX), PAUSE_SECONDS_MAX)
            log.warning("effect waits", effect=str(one.effect.id), code=error.code().name, seconds=pause)
            await line.later(one, self._clock(), timedelta(seconds=pause))
            return False
        await line.told(one)
        return True

    async def _call(self, user: str, effect: Effect) -> None:
        match effect:
            case SetPlan():
                await self._quota.SetPlan(convert.plan(user, effect), timeout=CALL_SECONDS)
            case Grant():
                await self._quota.Grant(convert.grant(user, effect), timeout=CALL_SECONDS)
            case Adjust():
                await self._quota.Adjust(convert.adjustment(user, effect), timeout=CALL_SECONDS)
