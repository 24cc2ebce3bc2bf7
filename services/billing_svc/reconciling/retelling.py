"""Tells quota_svc once more what it should have been told already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.billing_svc.applying import Applying
from services.billing_svc.domain.drift import Drift, DriftKind, Entered, Given, Scope, Stuck
from services.billing_svc.domain.effect import Adjust, Effect, Grant, Source, Why, adjustment_id
from services.billing_svc.keeping import Keeping
from services.billing_svc.reconciling.ledger import Ledger
from services.billing_svc.store.audit import Audit
from services.billing_svc.store.books import Books, Held

# An effect that has waited for so long is told to somebody.
STUCK_AFTER = timedelta(minutes=10)
BATCH_EFFECTS = 100

# Another process may be telling the same user's effects just now.
TOLD_LOOKS_MAX = 40
TOLD_POLL_SECONDS = 0.05


class Retelling:
    """`clock` gives the present in UTC."""

    def __init__(
        self,
        books: Books,
        keeping: Keeping,
        audit: Audit,
        ledger: Ledger,
        applying: Applying,
        clock: Callable[[], datetime],
    ) -> None:
        self._books = books
        self._keeping = keeping
        self._audit = audit
        self._ledger = ledger
        self._applying = applying
        self._clock = clock

    async def drifts(self, scope: Scope) -> AsyncGenerator[Drift, None]:
        """The effects that are stuck, each told again where that is wanted."""
        after = ("", 0)
        before = self._clock() - STUCK_AFTER
        # What is told again and refused again has a higher number.
        number_max = await self._audit.last_effect()
        while batch := await self._audit.stuck(scope.user, before, after, number_max, BATCH_EFFECTS):
            after = (batch[-1].user, batch[-1].number)
            left = await self._again(batch) if scope.repairs else {one.id for one in batch}
            for one in batch:
                yield replace(_stuck(one), repaired=one.id not in left)

    async def plan(self, user: str, theirs: str) -> bool:
        """Puts the user on their plan in quota_svc, which has them on `theirs`; whether it was acknowledged."""
        effect = await self._keeping.restate(user, theirs)
        return not await self._untold([user], [effect])

    async def credits(self, given: Given, entered: Entered) -> bool:
        """Makes quota_svc's ledger, which has `entered`, say what was given; whether it was acknowledged.

        A grant has the id that it had, and what was taken back is the difference: so nothing is given twice.
        """
        now = self._clock()
        effects: list[Effect] = []
        async with self._books.opened([given.user]) as book:
            payment = await book.payment(given.provider, given.payment)
            had = Held(given.grant, given.reclaimed, given.adjustments)
            moved = payment is None or (await book.held(payment)).get(given.line) != had
            if payment is None or moved or await self._audit.untold([given.grant], now):
                return False
            if entered.credits is None:
                effects.append(Grant(given.grant, given.credits, Source.PURCHASE))
            if change := entered.reclaimed - given.reclaimed:
                number = given.adjustments + 1
                line = next(one for one in payment.lines if one.id == given.line)
                await book.hold(payment, line, replace(had, adjustments=number))
                why = Why.CORRECTION if change > 0 else Why.CHARGEBACK if given.disputed else Why.REFUND
                effects.append(Adjust(adjustment_id(given.grant, number), change, why, given.grant))
            for effect in effects:
                await book.effect(given.user, effect, now)
        return not await self._untold([given.user], [one.id for one in effects])

    async def _again(self, batch: Collection[Stuck]) -> set[UUID]:
        """Tells all that is stuck of these users; those of the effects that are still untold."""
        left: set[UUID] = set()
        users = list(dict.fromkeys(one.user for one in batch))
        for user in users:
            plans = {one.id for one in batch if one.user == user and one.kind == "plan" and one.refused is not None}
            await self._audit.retry(user, self._clock())
            if plans and not await self._plan_again(user):
                left |= plans
        return left | await self._untold(users, [one.id for one in batch])

    async def _plan_again(self, user: str) -> bool:
        """What a refused change of plan was for, if no later one has been told since."""
        for account in await self._audit.accounts(user, "", 1):
            theirs = await self._ledger.plan(user)
            if account.told and theirs != account.plan:
                return await self.plan(user, theirs)
        return True

    async def _untold(self, users: Collection[str], effects: Collection[UUID]) -> set[UUID]:
        """Tells what waits for these users; those of the effects that quota_svc did not acknowledge."""
        for user in users:
            await self._applying.apply(user)
        for _ in range(TOLD_LOOKS_MAX):
            left = await self._audit.untold(effects, self._clock())
            if not any(left.values()):
                break
            await asyncio.sleep(TOLD_POLL_SECONDS)
        return set(left)


def _stuck(one: Stuck) -> Drift:
    theirs = f"refused: {one.refused}" if one.refused is not None else f"not told, after {one.attempts} attempts"
    return Drift(DriftKind.EFFECT_STUCK, one.user, str(one.id), one.kind, theirs)
