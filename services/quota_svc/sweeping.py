"""What time does to accounts that nobody looks at: holds expire, credit ends, credit begins.

Every reader and every change sees it anyway; the sweep enters it into the ledger and tells the other services. It runs
in every replica: whoever comes second to an account finds nothing left to do.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from runtime.errors import MeshError
from services.quota_svc.commits import Commits, single
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.plan import Tariff
from services.quota_svc.store import Asked, Ledger

log = structlog.get_logger()

SWEEP_SECONDS = 1.0

# Many accounts are due at the same midnight: so many at a time, and others' requests get their turn in between.
USERS_MAX = 200
PAUSE_SECONDS = 0.2


class Sweeping:
    """`clock` gives the present in UTC."""

    def __init__(
        self, ledger: Ledger, commits: Commits, tariff: Callable[[], Tariff], clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._commits = commits
        self._tariff = tariff
        self._clock = clock

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        while True:
            try:
                swept = await self.sweep()
            except MeshError as error:
                log.warning("sweep failed", reason=error.reason)
                swept = 0
            except Exception:
                log.exception("defect in a sweep")
                swept = 0
            await asyncio.sleep(PAUSE_SECONDS if swept == USERS_MAX else SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Brings some accounts that are due to the present; how many they were."""
        users = await self._ledger.due(self._clock(), USERS_MAX)
        sweeps = [self._commits.commit(single(user, self._advance, Asked())) for user in users]
        outcomes = await asyncio.gather(*sweeps, return_exceptions=True)
        for user, outcome in zip(users, outcomes, strict=True):
            if isinstance(outcome, MeshError):
                raise outcome
            if isinstance(outcome, Exception):
                log.error("account cannot be swept", account=user, exc_info=outcome)
        return len(users)

    def _advance(self, account: Account, now: datetime) -> None:
        account.advance(self._tariff(), now)
