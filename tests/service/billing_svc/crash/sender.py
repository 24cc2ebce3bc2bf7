"""A provider that tells of users' lives: each event until it is acknowledged, some of them more than once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import asyncpg
import grpc
from google.api.httpbody_pb2 import HttpBody

from runtime.events.outage import FAULTS
from scenemesh.billing.v1.webhook_pb2 import ReceiveStripeRequest
from tests.service.billing_svc.crash.lifecycle import STAGES
from tests.service.billing_svc.crash.stage import Replica, Stage
from tests.service.billing_svc.webhooks.scripted import HEADERS, event

USERS = ("ann", "ben", "cleo", "dan", "eve")
SIGNED = tuple(HEADERS.items())

ATTEMPT_SECONDS = 2.0
ANSWER_SECONDS_MAX = 240.0
PAUSE_SECONDS_MAX = 0.04
ADVANCES = 0.3
AGAIN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

ADVANCE = """
    INSERT INTO public.stages AS reached (user_id, stage) VALUES ($1, 0)
    ON CONFLICT (user_id) DO UPDATE SET stage = least(reached.stage + 1, $2)
"""


@dataclass
class Journal:
    """What was sent; `acknowledged` are the events that billing_svc has, with whom they are of."""

    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)


class Sender:
    """One of several at once."""

    def __init__(self, name: str, stage: Stage, journal: Journal, random: Random) -> None:
        self._name = name
        self._stage = stage
        self._journal = journal
        self._random = random
        self._count = 0

    async def run(self, stop: asyncio.Event) -> None:
        """One happening after the other until `stop` is set; the last one is brought to its end."""
        while not stop.is_set():
            await self.happen(self._random.choice(USERS))
            await asyncio.sleep(self._random.uniform(0, PAUSE_SECONDS_MAX))

    async def happen(self, user: str) -> None:
        """Something happens to a user, or nothing, and one to three events tell of it, each once or twice, at once."""
        if self._random.random() < ADVANCES or user not in self._journal.sent.values():
            await self._advance(user)
        names = [self._named(user) for _ in range(self._random.randint(1, 3))]
        if self._journal.sent and self._random.random() < 0.3:
            names.append(self._random.choice(list(self._journal.sent)))
        names += self._random.sample(names, self._random.randint(0, len(names)))
        self._random.shuffle(names)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await asyncio.gather(*[self._send(name) for name in names])

    def _named(self, user: str) -> str:
        self._count += 1
        name = f"evt_{self._name}_{self._count}"
        self._journal.sent[name] = user
        return name

    async def _advance(self, user: str) -> None:
        """One stage at least: twice is no harm, since whoever tells of it reads how far it went."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while True:
                try:
                    connection = await self._stage.connected()
                    try:
                        await connection.execute(ADVANCE, user, STAGES)
                    finally:
                        await connection.close(timeout=1)
                    return
                except (*FAULTS, asyncpg.PostgresError):
                    await asyncio.sleep(self._random.uniform(0.05, 0.4))

    async def _send(self, name: str) -> None:
        user = self._journal.sent[name]
        request = ReceiveStripeRequest(body=HttpBody(data=event(name, user)))
        while True:
            replica: Replica = self._random.choice(self._stage.replicas)
            if replica.stub is not None:
                try:
                    await replica.stub.ReceiveStripe(request, timeout=ATTEMPT_SECONDS, metadata=SIGNED)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in AGAIN:
                        raise
                    self._journal.retries[error.code().name] += 1
                else:
                    self._journal.acknowledged[name] = user
                    return
            await asyncio.sleep(self._random.uniform(0.05, 0.4))
