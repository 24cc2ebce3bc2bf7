"""A client that does what chat, billing and an operator do, at random."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.crash.calling import REFUSALS, Calling, Metadata, Told
from tests.service.quota_svc.crash.journal import HoldRecord, Journal, Wish
from tests.service.quota_svc.crash.replicas import Replica
from tests.service.quota_svc.desk import amounts, operator

# Some without a limit, most with one: who has which plan is set before.
USERS = ("ann", "ben", "cleo", "dan", "eve")
METERS = ("chat", "chat_premium", "credits")

# Holds that expire while the test runs, and holds that do not.
LIFETIMES_SECONDS = (1, 2, 4, 600, 600)
BATCH_ITEMS_MAX = 12
REFUSED = quota_pb2.OVERAGE_REFUSED
OVERAGES = (REFUSED, quota_pb2.OVERAGE_AVAILABLE)


class Client:
    """Everything it asks for, it notes before; everything it is told, after."""

    def __init__(self, replicas: Sequence[Replica], journal: Journal, random: Random) -> None:
        self._random = random
        self._journal = journal
        self._calling = Calling(replicas, journal, random)
        self._kinds = {
            self._reserve: 34,
            self._settle: 24,
            self._release: 10,
            self._extend: 10,
            self._grant: 12,
            self._batch_reserve: 4,
            self._batch_settle: 4,
            self._void: 2,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """One operation after the other until `stop` is set; the last one is brought to its end."""
        while not stop.is_set():
            await self.work()

    async def work(self) -> None:
        """One operation, brought to its end."""
        (kind,) = self._random.choices(list(self._kinds), weights=list(self._kinds.values()))
        await kind()

    async def _reserve(self) -> None:
        record = self._journal.hold(self._reserve_request())
        told = await self._ask("chat", "Reserve", record.request, [record.taking])
        if told.answer is not None:
            self._journal.taken(record, told.answer.hold)

    async def _settle(self) -> None:
        record = self._some_hold()
        if record is None:
            return
        request, wish = self._settle_request(record)
        told = await self._ask("chat", "Settle", request, [wish])
        if told.answer is not None:
            record.told.append(told.answer)

    async def _release(self) -> None:
        record, wish = self._some_hold(), Wish({})
        if record is None:
            return
        record.releases.append(wish)
        told = await self._ask("chat", "Release", quota_pb2.ReleaseRequest(name=record.name), [wish])
        if told.answer is not None:
            record.told.append(told.answer)

    async def _void(self) -> None:
        record, wish = self._some_hold(), Wish({})
        if record is None:
            return
        record.voidings.append(wish)
        request = quota_pb2.VoidHoldRequest(name=record.name, reason="stuck")
        told = await self._ask("edge", "VoidHold", request, [wish], operator())
        if told.answer is not None:
            record.told.append(told.answer)

    async def _extend(self) -> None:
        record = self._some_hold(keep=True)
        if record is None:
            return
        wish = Wish({meter: units + self._random.randint(0, 2) for meter, units in record.held.items()})
        record.extensions.append(wish)
        request = quota_pb2.ExtendHoldRequest(
            name=record.name, amounts=amounts(dict(wish.units)), time_to_live=self._lifetime()
        )
        told = await self._ask("chat", "ExtendHold", request, [wish])
        if told.answer is not None:
            record.told.append(told.answer.hold)

    async def _grant(self) -> None:
        request = quota_pb2.GrantRequest(
            parent=f"users/{self._random.choice(USERS)}",
            request_id=self._request_id(),
            meter=self._random.choice(METERS),
            amount=self._random.randint(1, 30),
            source=self._random.choice((quota_pb2.SOURCE_PURCHASE, quota_pb2.SOURCE_PROMO)),
            priority=self._random.choice((5, 100)),
        )
        record = self._journal.grant(request)
        told = await self._ask("billing", "Grant", request, [record.wish])
        if told.answer is not None:
            record.told.append(told.answer)

    async def _batch_reserve(self) -> None:
        requests = [self._reserve_request() for _ in range(self._random.randint(1, BATCH_ITEMS_MAX))]
        records = [self._journal.hold(request) for request in requests]
        request = quota_pb2.BatchReserveRequest(requests=requests, all_or_nothing=self._random.random() < 0.5)
        told = await self._ask("chat", "BatchReserve", request, [record.taking for record in records])
        if told.answer is None:
            return
        for record, result in zip(records, told.answer.results, strict=True):
            if result.HasField("hold"):
                self._journal.taken(record, result.hold)
            else:
                assert result.error.reason in REFUSALS, result
                record.taking.refused = told.certain

    async def _batch_settle(self) -> None:
        some = {record.name: record for record in (self._some_hold() for _ in range(BATCH_ITEMS_MAX)) if record}
        if not some:
            return
        wishes = [self._settle_request(record) for record in some.values()]
        request = quota_pb2.BatchSettleRequest(
            requests=[request for request, _ in wishes], all_or_nothing=self._random.random() < 0.5
        )
        told = await self._ask("chat", "BatchSettle", request, [wish for _, wish in wishes])
        if told.answer is None:
            return
        for record, (_, wish), result in zip(some.values(), wishes, told.answer.results, strict=True):
            if result.HasField("hold"):
                record.told.append(result.hold)
            else:
                assert result.error.reason in REFUSALS, result
                wish.refused = told.certain

    async def _ask(self, peer: str, method: str, request: Any, wishes: Sequence[Wish], metadata: Metadata = ()) -> Told:
        """What it is told; a refusal is noted with the wishes."""
        told = await self._calling.answer(peer, method, request, metadata)
        if told.answer is None:
            for wish in wishes:
                wish.refused = told.certain
        self._journal.outcomes[method, told.reason or "OK"] += 1
        return told

    def _reserve_request(self) -> quota_pb2.ReserveRequest:
        meters = self._random.sample(METERS, self._random.choice((1, 1, 2)))
        return quota_pb2.ReserveRequest(
            parent=f"users/{self._random.choice(USERS)}",
            request_id=self._request_id(),
            amounts=amounts({meter: self._random.randint(1, 4) for meter in meters}),
            time_to_live=self._lifetime(),
            overage=self._random.choice(OVERAGES),
        )

    def _settle_request(self, record: HoldRecord) -> tuple[quota_pb2.SettleRequest, Wish]:
        """At least one unit of what is held; sometimes more than is held."""
        more = self._random.choice((0, 0, 3))
        units = {meter: self._random.randint(0, held + more) for meter, held in record.held.items()}
        if not any(units.values()):
            units[min(units)] = 1
        wish = Wish({meter: amount for meter, amount in units.items() if amount})
        record.settlements.append(wish)
        usage = quota_pb2.Usage(resource=f"conversations/{self._request_id()}", model="toy")
        return quota_pb2.SettleRequest(name=record.name, amounts=amounts(units), usage=usage), wish

    def _some_hold(self, *, keep: bool = False) -> HoldRecord | None:
        """A hold that may still live. It mostly leaves the others' sight, and sometimes stays, so that they race."""
        if not self._journal.live:
            return None
        index = self._random.randrange(len(self._journal.live))
        record = self._journal.live[index]
        if not keep and self._random.random() < 0.8:
            self._journal.live[index] = self._journal.live[-1]
            self._journal.live.pop()
        return record

    def _lifetime(self) -> timedelta:
        return timedelta(seconds=self._random.choice(LIFETIMES_SECONDS))

    def _request_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
