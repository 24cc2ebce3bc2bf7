"""What people have left, remembered for those who ask often, and forgotten as soon as it changes.

Every process reads the events of quotas and subscriptions for itself. While it does not hear them, nothing is
remembered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.events.envelope import ENVELOPE, opened, stream
from services.chat_svc.siblings import Quota, Shown, Standing

log = structlog.get_logger()

STREAMS = (stream("quota"), stream("subscription"))
STANDING_SECONDS = 300.0
STANDINGS_MAX = 5_000
# Below the client's own limit on a reply.
BLOCK_MS = 500
PAUSE_SECONDS = 1.0

FAULTS = (RedisError, OSError, TimeoutError)

Value = TypeVar("Value")


class Standings:
    """`seconds` is a clock that only goes forward."""

    def __init__(self, quota: Quota, redis: Redis, seconds: Callable[[], float]) -> None:
        self._quota = quota
        self._redis = redis
        self._seconds = seconds
        self._hearing = False
        # Counts what was forgotten: an answer that was asked for before is not remembered after.
        self._forgotten = 0
        # By the person: what is known of them, and until when. For their images, by how many there are.
        self._kept: OrderedDict[str, dict[int, tuple[float, Any]]] = OrderedDict()

    async def standing(self, user: str) -> Standing:
        """What the person has left on every meter, as it was at most a moment ago."""
        return await self._known(user, 0, lambda: self._quota.standing(user))

    async def shown(self, user: str, images: int) -> Shown:
        """What so many images would cost the person, one or more."""
        return await self._known(user, images, lambda: self._quota.shown(user, images))

    async def _known(self, user: str, images: int, ask: Callable[[], Awaitable[Value]]) -> Value:
        until, known = self._kept.get(user, {}).get(images, (0.0, None))
        if known is not None and self._seconds() < until:
            return cast("Value", known)
        forgotten = self._forgotten
        value = await ask()
        if self._hearing and forgotten == self._forgotten:
            self._kept.setdefault(user, {})[images] = (self._seconds() + STANDING_SECONDS, value)
            self._kept.move_to_end(user)
            if len(self._kept) > STANDINGS_MAX:
                self._kept.popitem(last=False)
        return value

    async def run(self) -> None:
        """Forgets what changes, until it is cancelled."""
        while True:
            try:
                await self._hear()
            except FAULTS as error:
                log.warning("changes of quotas are not heard", error=type(error).__name__)
            except Exception:
                # Out of here it would end the process, with every answer that is made in it.
                log.exception("defect in hearing changes of quotas")
            finally:
                self._hearing = False
                self._forget_all()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self) -> None:
        places: dict[Any, Any] = {name: await self._end(name) for name in STREAMS}
        self._hearing = True
        while True:
            heard: Any = await self._redis.xread(places, block=BLOCK_MS)
            for name, entries in heard or ():
                for place, fields in entries:
                    self._forget(fields.get(ENVELOPE, b""))
                    places[name.decode()] = place

    async def _end(self, name: str) -> Any:
        """The place of a stream's newest entry."""
        newest: Any = await self._redis.xrevrange(name, count=1)
        return newest[0][0] if newest else "0"

    def _forget(self, payload: bytes) -> None:
        self._forgotten += 1
        try:
            subject = opened(payload).subject
        except ValueError:
            log.warning("an event that is none")
            return
        self._kept.pop(subject.removeprefix("users/"), None)

    def _forget_all(self) -> None:
        self._forgotten += 1
        self._kept.clear()
