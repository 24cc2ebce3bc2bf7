"""One reconciliation from its beginning to its end, and no other one meanwhile in any replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from opentelemetry import metrics

from runtime.errors import Aborted, MeshError
from runtime.telemetry import SCOPE
from scenemesh.quota.v1 import quota_pb2_grpc
from services.billing_svc.applying import Applying
from services.billing_svc.domain.drift import Compared, Drift, DriftKind, Failed, Finished, Progress, Scope, Told
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Auditor
from services.billing_svc.reconciling.accounts import Accounts
from services.billing_svc.reconciling.ledger import Ledger
from services.billing_svc.reconciling.pacing import paced
from services.billing_svc.reconciling.purchases import Purchases
from services.billing_svc.reconciling.retelling import Retelling
from services.billing_svc.store.audit import Audit
from services.billing_svc.store.books import Books

log = structlog.get_logger()

WORK = "reconciling"

# Between the two looks at a difference: longer than what was just paid needs to be delivered and kept.
PATIENCE_SECONDS = 5.0
ALIVE_SECONDS = 5.0


class Reconciling:
    """`auditor` is None where Stripe is not set up: quota_svc alone is compared then. `clock` is the present in UTC."""

    def __init__(
        self,
        auditor: Auditor | None,
        quota: quota_pb2_grpc.QuotaServiceAsyncStub,
        keeping: Keeping,
        books: Books,
        audit: Audit,
        applying: Applying,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        alive_seconds: float = ALIVE_SECONDS,
    ) -> None:
        ledger = Ledger(quota)
        self._audit = audit
        self._alive_seconds = alive_seconds
        self._purchases = Purchases(auditor, keeping, audit, clock, patience_seconds) if auditor else None
        self._retelling = Retelling(books, keeping, audit, ledger, applying, clock)
        self._accounts = Accounts(ledger, audit, self._retelling, catalogue, clock, patience_seconds)
        self._gauge = metrics.get_meter(SCOPE).create_gauge("billing.drifts", description="found by the last full run")

    async def events(self, scope: Scope) -> AsyncGenerator[Told, None]:
        """What a reconciliation tells; the last is Finished or Failed. Closing it ends the work.

        Aborted (RECONCILIATION_RUNNING) while another one is at work.
        """
        async with self._audit.alone(WORK) as still:
            if still is None:
                raise Aborted("Another reconciliation is at work.", reason="RECONCILIATION_RUNNING")
            tally = Tally()
            try:
                async with aclosing(paced(self._found(scope), self._alive_seconds)) as found:
                    async for one in found:
                        if isinstance(one, Drift):
                            tally.add(one)
                            yield one
                        else:
                            tally.compared += one.count if one else 0
                            await still()
                            yield Progress(tally.compared)
            except MeshError as error:
                log.warning("reconciliation failed", reason=error.reason, message=error.message)
                yield Failed(error.reason, error.message)
                return
            self._told(scope, tally)
            yield Finished(tally.compared, tally.drifts.total(), tally.repaired)

    async def _found(self, scope: Scope) -> AsyncGenerator[Drift | Compared, None]:
        """Stripe's side first: what is kept because of it is told to quota_svc meanwhile."""
        if self._purchases is not None:
            async for one in self._purchases.drifts(scope):
                yield one
        async for drift in self._retelling.drifts(scope):
            yield drift
        async for one in self._accounts.drifts(scope):
            yield one

    def _told(self, scope: Scope, tally: Tally) -> None:
        log.info("reconciled", compared=tally.compared, drifts=tally.drifts.total(), repaired=tally.repaired)
        if scope.user is None:
            for kind in DriftKind:
                self._gauge.set(tally.drifts[kind], {"kind": kind.value})


@dataclass
class Tally:
    """What a run has found so far."""

    compared: int = 0
    repaired: int = 0
    drifts: Counter[DriftKind] = field(default_factory=Counter)

    def add(self, one: Drift) -> None:
        self.drifts[one.kind] += 1
        self.repaired += one.repaired
        log.warning(
            "drift",
            kind=one.kind.value,
            user=one.user,
            id=one.id,
            ours=one.ours,
            theirs=one.theirs,
            repaired=one.repaired,
        )
