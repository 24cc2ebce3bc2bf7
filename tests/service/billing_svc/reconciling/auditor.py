"""A provider that says what a test sets, and counts what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from runtime.errors import Unavailable
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import Payment


@dataclass
class ScriptedAuditor:
    """`unsold` agreements are known and not said. It is away after `answers_max` things; `gate` holds it up."""

    agreed: list[Agreement] = field(default_factory=list)
    paid: list[Payment] = field(default_factory=list)
    unsold: set[str] = field(default_factory=set)
    answers_max: int = 1_000_000
    gate: asyncio.Event | None = None
    closed: int = 0

    async def agreements(self, user: str | None) -> AsyncIterator[Facts]:
        try:
            for one in self.agreed:
                if user in (None, one.user) and one.id not in self.unsold:
                    yield await self._answer(Facts((one,)))
            for payment in self.paid:
                if user in (None, payment.user) and payment.agreement is not None:
                    yield await self._answer(Facts(payments=(payment,)))
        finally:
            self.closed += 1

    async def payments(self, user: str | None, since: datetime) -> AsyncIterator[Facts]:
        for payment in self.paid:
            if user in (None, payment.user) and payment.agreement is None and payment.time >= since:
                yield await self._answer(Facts(payments=(payment,)))

    async def agreement(self, agreement_id: str) -> Facts | None:
        if agreement_id in self.unsold:
            raise NotOurs("It is not sold here any more.")
        found = [one for one in self.agreed if one.id == agreement_id]
        return Facts((found[0],)) if found else None

    async def _answer(self, facts: Facts) -> Facts:
        if self.gate is not None:
            await self.gate.wait()
        if self.answers_max <= 0:
            raise Unavailable("The provider cannot be reached.", reason="PROVIDER_UNAVAILABLE")
        self.answers_max -= 1
        return facts
