"""Stripe's side: every agreement and every payment there, beside what is kept of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from runtime.errors import Aborted
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.drift import Compared, Drift, DriftKind, Scope
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Auditor
from services.billing_svc.reconciling.comparing import Ours, differences, ended, gone
from services.billing_svc.reconciling.seen import Seen
from services.billing_svc.store.audit import Audit

log = structlog.get_logger()

PROVIDER = Provider.STRIPE
BATCH_FACTS = 100
SUSPICIONS_MAX = 500

# Payments that belong to no agreement are compared for so long; one user's for longer.
RECENT = timedelta(days=35)
LONG = timedelta(days=366)

# A delivery that is younger is about to be worked on, and may end the difference by itself.
DELIVERY_YOUNG = timedelta(minutes=10)

# Stripe forgets no subscription. When it knows none of ours, or not many of them, it is another account that answers,
# and nobody loses a plan for that.
ENDED_MAX = 10


def compared_since(scope: Scope, now: datetime) -> datetime:
    """From when on payments are compared."""
    return now - (RECENT if scope.user is None else LONG)


@dataclass(frozen=True)
class Suspicion:
    """What differed at the first look, and what would be kept if it still does at the second one."""

    facts: Facts
    drifts: frozenset[Drift]

    @property
    def user(self) -> str:
        """Whose it is, as the provider says; "" where it names none of ours."""
        return next(iter(self.facts.users))

    @property
    def subjects(self) -> set[str]:
        """How deliveries name what it is about."""
        agreements = self.facts.agreements
        names = {one.id for one in agreements} | {one.id for one in self.facts.payments}
        return names | {one.customer for one in agreements if one.customer}


@dataclass
class Run:
    """What is known of a run so far. What was kept of a reading that began after `fence` is at least as new."""

    scope: Scope
    fence: int
    seen: Seen
    same_account: bool = False
    ended: int = 0

    def may_end(self) -> bool:
        """Whether another agreement that the provider does not know may be ended."""
        return self.scope.repairs and self.same_account and self.ended < ENDED_MAX


class Purchases:
    """`patience_seconds` lie between the two looks at a difference; `clock` gives the present in UTC."""

    def __init__(
        self,
        auditor: Auditor,
        keeping: Keeping,
        audit: Audit,
        clock: Callable[[], datetime],
        patience_seconds: float,
    ) -> None:
        self._auditor = auditor
        self._keeping = keeping
        self._audit = audit
        self._clock = clock
        self._patience_seconds = patience_seconds

    async def drifts(self, scope: Scope) -> AsyncGenerator[Drift | Compared, None]:
        """Each drift, repaired where that is safe and wanted. Unavailable when the provider does not answer."""
        run = Run(scope, await self._keeping.fence(), Seen(uuid4().bytes))
        suspicions: list[Suspicion] = []
        async for compared, differing in self._first_looks(run):
            yield compared
            suspicions += differing
            if len(suspicions) >= SUSPICIONS_MAX:
                async for drift in self._second_looks(run, suspicions):
                    yield drift
                suspicions = []
        async for drift in self._second_looks(run, suspicions):
            yield drift

    async def _first_looks(self, run: Run) -> AsyncIterator[tuple[Compared, list[Suspicion]]]:
        async for batch in _batches(self._said(run.scope)):
            ours = await self._ours(batch, run.fence)
            for one in batch:
                for agreement in one.agreements:
                    run.seen.add(agreement.id)
            run.same_account |= bool(ours.agreements)
            looks = [Suspicion(one, frozenset(differences(one, ours))) for one in batch]
            count = sum(len(one.agreements) + len(one.payments) for one in batch)
            yield Compared(count), [look for look in looks if look.drifts]
        after = ""
        while ids := await self._audit.alive(PROVIDER, run.scope.user, after, BATCH_FACTS):
            after = ids[-1]
            unsaid = await self._audit.agreements(PROVIDER, [name for name in ids if name not in run.seen], run.fence)
            older = [one for one in unsaid.kept.values() if one.id not in unsaid.newer]
            yield Compared(0), [Suspicion(Facts((ended(one),)), frozenset({gone(one)})) for one in older]

    async def _said(self, scope: Scope) -> AsyncIterator[Facts]:
        async for facts in self._auditor.agreements(scope.user):
            yield facts
        async for facts in self._auditor.payments(scope.user, compared_since(scope, self._clock())):
            yield facts

    async def _second_looks(self, run: Run, suspicions: list[Suspicion]) -> AsyncIterator[Drift]:
        if not suspicions:
            return
        await asyncio.sleep(self._patience_seconds)
        subjects = {name for one in suspicions for name in one.subjects}
        coming = await self._audit.pending(PROVIDER, subjects, self._clock() - DELIVERY_YOUNG)
        by_user = defaultdict(list)
        for one in suspicions:
            if not one.subjects & coming:
                by_user[one.user].append(one)
        for some in by_user.values():
            for drift in await self._second_look(run, some):
                yield drift

    async def _second_look(self, run: Run, some: list[Suspicion]) -> list[Drift]:
        """What differs for a user as it did before; repaired where that is safe and wanted."""
        ours = await self._ours([one.facts for one in some], run.fence)
        drifts: list[Drift] = []
        to_keep: list[Facts] = []
        for one in some:
            still = await self._still(one, ours)
            drifts += still
            if still and self._may_keep(run, one):
                to_keep.append(one.facts)
        differing = await self._keep(run, to_keep)
        kept = {name for facts in to_keep for name in _names(facts)} - differing
        return [replace(one, repaired=one.id in kept) for one in drifts]

    async def _still(self, one: Suspicion, ours: Ours) -> list[Drift]:
        found = [drift for drift in differences(one.facts, ours) if drift in one.drifts]
        for drift in one.drifts:
            kept = ours.agreements.get(drift.id)
            if drift.kind is DriftKind.AGREEMENT_GONE and kept and drift == gone(kept) and await self._unknown(kept):
                found.append(drift)
        return found

    async def _unknown(self, one: Agreement) -> bool:
        """Whether the provider says that there is no such agreement."""
        try:
            return await self._auditor.agreement(one.id) is None
        except NotOurs:
            return False

    def _may_keep(self, run: Run, one: Suspicion) -> bool:
        if not one.user:
            return False
        if any(drift.kind is DriftKind.AGREEMENT_GONE for drift in one.drifts):
            if not run.may_end():
                return False
            run.ended += 1
        return run.scope.repairs

    async def _keep(self, run: Run, said: list[Facts]) -> set[str]:
        """Keeps what was said in one transaction; the ids of what differs all the same."""
        if not said:
            return set()
        agreements = tuple(agreement for one in said for agreement in one.agreements)
        facts = Facts(agreements, tuple(payment for one in said for payment in one.payments))
        try:
            await self._keeping.keep(facts, run.fence)
        except Aborted as error:
            log.warning("drift not repaired", reason=error.reason)
        return {drift.id for drift in differences(facts, await self._ours(said, run.fence))}

    async def _ours(self, said: Collection[Facts], fence: int) -> Ours:
        agreements = await self._audit.agreements(
            PROVIDER, {one.id for facts in said for one in facts.agreements}, fence
        )
        payments = await self._audit.payments(PROVIDER, {one.id for facts in said for one in facts.payments}, fence)
        return Ours(agreements.kept, payments.kept, agreements.newer | payments.newer)


def _names(facts: Facts) -> set[str]:
    return {one.id for one in facts.agreements} | {one.id for one in facts.payments}


async def _batches(said: AsyncIterator[Facts]) -> AsyncIterator[list[Facts]]:
    batch: list[Facts] = []
    async for facts in said:
        batch.append(facts)
        if len(batch) == BATCH_FACTS:
            yield batch
            batch = []
    if batch:
        yield batch
