"""quota_svc's side: everybody's plan, and the credits that recent payments gave, beside what is kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from services.billing_svc.domain.drift import Account, Compared, Drift, Given, Scope
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.reconciling.comparing import credit_difference, plan_difference
from services.billing_svc.reconciling.ledger import Ledger
from services.billing_svc.reconciling.purchases import compared_since
from services.billing_svc.reconciling.retelling import Retelling
from services.billing_svc.store.audit import Audit

log = structlog.get_logger()

BATCH_USERS = 100
LOOKS_AT_ONCE = 8

# A grant is made after its payment; so much may the clocks of two machines differ.
CLOCKS_APART = timedelta(days=1)

# Each drift, and what of ours differs.
Looks = dict[Drift, Account | Given]


class Accounts:
    """`patience_seconds` lie between the two looks at a difference; `clock` gives the present in UTC."""

    def __init__(
        self,
        ledger: Ledger,
        audit: Audit,
        retelling: Retelling,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        patience_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._audit = audit
        self._retelling = retelling
        self._catalogue = catalogue
        self._clock = clock
        self._patience_seconds = patience_seconds

    async def drifts(self, scope: Scope) -> AsyncGenerator[Drift | Compared, None]:
        """Each drift, repaired where that is wanted. Unavailable when quota_svc does not answer."""
        since = compared_since(scope, self._clock())
        after = ""
        while batch := await self._audit.accounts(scope.user, after, BATCH_USERS):
            after = batch[-1].user
            yield Compared(len(batch))
            first = await self._looks([one.user for one in batch], since)
            if not first:
                continue
            await asyncio.sleep(self._patience_seconds)
            second = await self._looks(sorted({one.user for one in first}), since)
            for drift, of in second.items():
                if drift in first:
                    repaired = scope.repairs and await self._repaired(drift, of, since)
                    yield replace(drift, repaired=repaired)

    async def _looks(self, users: list[str], since: datetime) -> Looks:
        limit = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def look(user: str) -> Looks:
            async with limit:
                return await self._look(user, since)

        found: Looks = {}
        for looks in await asyncio.gather(*[look(user) for user in users], return_exceptions=True):
            if isinstance(looks, BaseException):
                raise looks
            found |= looks
        return found

    async def _look(self, user: str, since: datetime) -> Looks:
        """What differs for a user. What is kept is read first: what quota_svc was told until then, it says."""
        found: Looks = {}
        for account in await self._audit.accounts(user, "", 1):
            if drift := plan_difference(account, await self._ledger.plan(user), self._catalogue):
                found[drift] = account
        given = await self._audit.given(user, since)
        if given:
            entered = await self._ledger.entered(user, given, since - CLOCKS_APART)
            if entered is None:
                log.warning("too many uses to compare credits", user=user)
                return found
            for one in given:
                if drift := credit_difference(one, entered[one.grant]):
                    found[drift] = one
        return found

    async def _repaired(self, drift: Drift, of: Account | Given, since: datetime) -> bool:
        if isinstance(of, Account):
            return await self._retelling.plan(of.user, drift.theirs)
        entered = await self._ledger.entered(of.user, [of], since - CLOCKS_APART)
        return entered is not None and await self._retelling.credits(of, entered[of.grant])
