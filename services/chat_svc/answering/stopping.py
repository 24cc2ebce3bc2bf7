"""Stopping an answer for good, whichever process makes it.

The wish stands in the database, where the process that makes the answer finds it when it renews its lease; a word over
Redis lets it find out at once.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.errors import Unavailable
from services.chat_svc.answering.generations import Generations
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.store import Answers, Rounds

log = structlog.get_logger()

CHANNEL = "chat:stop"
BLOCK_SECONDS = 1.0
PAUSE_SECONDS = 1.0

# How long a caller waits for the end of an answer that is being stopped elsewhere, and how often it is looked for.
END_SECONDS_MAX = 8.0
LOOK_SECONDS = 0.05

FAULTS = (RedisError, OSError, TimeoutError)


class Stopping:
    """`redis` is for publishing, `waiting` for listening."""

    def __init__(
        self, answers: Answers, rounds: Rounds, generations: Generations, redis: Redis, waiting: Redis
    ) -> None:
        self._answers = answers
        self._rounds = rounds
        self._generations = generations
        self._redis = redis
        self._waiting = waiting

    async def stop_here(self, user: str, conversation: UUID, answer: UUID) -> Message:
        """The answer as it ended, as `stop` gives it; one that is made here stops though the database is away.

        Unavailable (reason STOP_PENDING) then, since nobody knows yet that it did.
        """
        made_here = self._generations.stop(answer, (user, conversation))
        try:
            return await self.stop((await self._answers.get(user, conversation, answer)).answer)
        except Unavailable as error:
            if not made_here:
                raise
            raise _pending() from error

    async def stop(self, answer: Message) -> Message:
        """The answer as it ended, and with it its round. Unavailable when it does not end in time.

        Whoever makes it may be dying then.
        """
        stopped = last = await self._stopped(answer)
        while last.next is not None:
            # It has ended by itself, and the one that is to stop is a later one already.
            following = (await self._answers.get(last.user, last.conversation, last.next)).answer
            last = await self._stopped(following)
        return stopped

    async def _stopped(self, answer: Message) -> Message:
        """The answer as it ended, which it is made to do where it has not."""
        if answer.state is not State.STREAMING:
            return await self._last(answer)
        await self._answers.wish_stopped(answer)
        if not self._generations.stop(answer.id):
            await self._tell(answer.id)
        try:
            async with asyncio.timeout(END_SECONDS_MAX):
                while answer.state is State.STREAMING:
                    await asyncio.sleep(LOOK_SECONDS)
                    answer = (await self._answers.get(answer.user, answer.conversation, answer.id)).answer
        except TimeoutError:
            raise _pending() from None
        return await self._last(answer)

    async def _last(self, answer: Message) -> Message:
        """An answer that has ended, as the last one of its round unless the next one has begun."""
        return answer if answer.next is None else await self._rounds.end(answer)

    async def run(self) -> None:
        """Stops what other processes were asked to stop, until it is cancelled."""
        while True:
            try:
                await self._listen()
            except FAULTS as error:
                log.warning("stops are not heard", error=type(error).__name__)
            except Exception:
                # Out of here it would end the process, with every answer that is made in it.
                log.exception("defect in hearing stops")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with self._waiting.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            while True:
                heard = await channel.get_message(ignore_subscribe_messages=True, timeout=BLOCK_SECONDS)
                if heard is not None:
                    self._stop_told(heard["data"])

    def _stop_told(self, data: bytes) -> None:
        """Anybody may say anything on the channel: what is no answer's id is passed over."""
        try:
            answer = UUID(data.decode())
        except ValueError:
            log.warning("no answer's id was heard", size_bytes=len(data))
            return
        self._generations.stop(answer)

    async def _tell(self, answer: UUID) -> None:
        try:
            await self._redis.publish(CHANNEL, str(answer))
        except FAULTS as error:
            log.warning("stop is told by the database alone", error=type(error).__name__)


def _pending() -> Unavailable:
    return Unavailable("The answer has not ended yet.", reason="STOP_PENDING")
