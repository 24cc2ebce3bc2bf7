"""Which plan counts for a user: what their account keeps, and billing where that is missing or old."""

from collections.abc import Callable
from datetime import datetime

import structlog

from runtime.errors import Unavailable
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.plan import Plan
from services.quota_svc.plans import Plans
from services.quota_svc.store import Ledger

log = structlog.get_logger()


class Accounts:
    """Opens accounts and keeps their plans fresh."""

    def __init__(self, ledger: Ledger, plans: Plans, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._plans = plans
        self._clock = clock

    async def plan(self, user: str) -> Plan:
        """The plan that counts for the user now; UNAVAILABLE when billing was never heard on it and is away."""
        account = await self._ledger.account(user) or Account(user)
        now = self._clock()
        name = account.plan
        if name is None or account.stale(now):
            name = await self._asked(account)
            await self._ledger.keep_plan(user, name, now)
        return self._plans.table.plan(name)

    async def _asked(self, account: Account) -> str:
        """What billing says; the old plan when it says nothing.

        An old plan is kept as if it were new, so that billing's absence costs a user one slow call a minute, not each.
        """
        try:
            return await self._plans.subscribed(account.user)
        except Unavailable as error:
            if account.plan is None:
                raise
            log.warning("plan not refreshed", account=account.user, error=error.message)
            return account.plan
