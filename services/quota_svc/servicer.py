"""The RPCs of QuotaService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import grpc
import structlog

from runtime.context import caller
from runtime.errors import NotFound
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from services.quota_svc import convert, listing
from services.quota_svc.commits import Commits, Operation, single
from services.quota_svc.domain import batch
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.decision import admission, decide, figures
from services.quota_svc.domain.granting import adjust, grant
from services.quota_svc.domain.plan import Tariff
from services.quota_svc.domain.planning import set_plan, set_time_zone
from services.quota_svc.domain.reserving import Refused, Reserved, extend, reserve
from services.quota_svc.domain.resolving import release, settle, void
from services.quota_svc.store import Asked, History, Ledger
from services.quota_svc.watching import Look, Watching

log = structlog.get_logger()

SERVICE = "scenemesh.quota.v1.QuotaService"

Context = grpc.aio.ServicerContext


class QuotaServicer(quota_pb2_grpc.QuotaServiceServicer):
    """`commits` carries single changes, `batches` the large ones; `clock` gives the present in UTC."""

    def __init__(
        self,
        ledger: Ledger,
        history: History,
        commits: Commits,
        batches: Commits,
        watching: Watching,
        tariff: Callable[[], Tariff],
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._history = history
        self._commits = commits
        self._batches = batches
        self._watching = watching
        self._tariff = tariff
        self._clock = clock

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context[Any, Any]) -> quota_pb2.Quota:
        user = await self._whose(convert.user_from_name(request.name), "QUOTA_NOT_FOUND")
        moment = convert.read_time_from_proto(request, self._clock())
        if moment is None:
            return self._quota(await self._account(user), self._clock())
        return self._quota(await self._history.account_at(user, moment) or Account(user, moment), moment)

    async def WatchQuota(
        self, request: quota_pb2.WatchQuotaRequest, context: Context[Any, Any]
    ) -> AsyncIterator[quota_pb2.QuotaEvent]:
        user = await self._whose(convert.user_from_name(request.name), "QUOTA_NOT_FOUND")
        async for found in self._watching.follow(user, partial(self._look, user)):
            yield convert.watched_to_proto(found)

    async def UpdateQuota(self, request: quota_pb2.UpdateQuotaRequest, context: Context[Any, Any]) -> quota_pb2.Quota:
        user = caller().owner(convert.user_from_name(request.quota.name), reason="QUOTA_NOT_FOUND")
        zone = convert.time_zone_from_proto(request)

        def change(account: Account, now: datetime) -> quota_pb2.Quota:
            set_time_zone(account, zone, self._tariff(), now)
            return self._quota(account, now)

        return await self._commits.commit(single(user, change, Asked(), opens=True))

    async def ListEntries(
        self, request: quota_pb2.ListEntriesRequest, context: Context[Any, Any]
    ) -> quota_pb2.ListEntriesResponse:
        user = await self._whose(convert.user_from_name(request.parent), "ENTRIES_NOT_FOUND")
        wanted, size = convert.entry_filter_from_proto(request), listing.page_size_from_proto(request)
        scope = listing.entries_scope(user, wanted)
        entries = await self._history.entries(user, wanted, listing.before_from_proto(scope, request), size + 1)
        return listing.entries_to_proto(user, scope, entries, size)

    async def CheckAdmission(
        self, request: quota_pb2.CheckAdmissionRequest, context: Context[Any, Any]
    ) -> quota_pb2.Decision:
        user = convert.user_from_name(request.parent)
        account, tariff = await self._account(user), self._tariff()
        now = account.advance(tariff, self._clock())
        return convert.decision_to_proto(admission(account, request.meter, request.amount, tariff, now))

    async def Reserve(self, request: quota_pb2.ReserveRequest, context: Context[Any, Any]) -> quota_pb2.ReserveResponse:
        order = convert.reserve_order_from_proto(request)

        def change(account: Account, now: datetime) -> Reserved | Refused:
            return reserve(account, order, self._tariff(), now)

        asked = Asked(new_holds=[(order.user, order.id)])
        outcome = await self._commits.commit(single(order.user, change, asked, opens=True))
        return self._reserved(order.user, outcome)

    async def ExtendHold(
        self, request: quota_pb2.ExtendHoldRequest, context: Context[Any, Any]
    ) -> quota_pb2.ReserveResponse:
        order = convert.extend_order_from_proto(request)

        def change(account: Account, now: datetime) -> Reserved | Refused:
            return extend(account, order, self._tariff(), now)

        asked = Asked(holds=[(order.user, order.hold)])
        return self._reserved(order.user, await self._commits.commit(single(order.user, change, asked)))

    async def Settle(self, request: quota_pb2.SettleRequest, context: Context[Any, Any]) -> quota_pb2.Hold:
        order = convert.settle_order_from_proto(request)

        def change(account: Account, now: datetime) -> quota_pb2.Hold:
            tariff = self._tariff()
            hold = settle(account, order, tariff, now)
            now = account.advance(tariff, now)
            left = {line.meter: figures(account, line.meter, tariff, now) for line in hold.lines}
            return convert.settled_to_proto(order.user, hold, left)

        return await self._commits.commit(single(order.user, change, Asked(holds=[(order.user, order.hold)])))

    async def Release(self, request: quota_pb2.ReleaseRequest, context: Context[Any, Any]) -> quota_pb2.Hold:
        user, hold_id = convert.user_from_name(request.name), convert.id_from_name(request.name)

        def change(account: Account, now: datetime) -> quota_pb2.Hold:
            return convert.hold_to_proto(user, release(account, hold_id, self._tariff(), now))

        return await self._commits.commit(single(user, change, Asked(holds=[(user, hold_id)])))

    async def BatchReserve(
        self, request: quota_pb2.BatchReserveRequest, context: Context[Any, Any]
    ) -> quota_pb2.BatchReserveResponse:
        orders = convert.reserve_orders_from_proto(request)
        gathered = batch.all_or_nothing if request.all_or_nothing else batch.each
        users = [order.user for order in orders]

        def change(accounts: dict[str, Account], now: datetime) -> Any:
            return gathered(accounts, orders, lambda account, order: reserve(account, order, self._tariff(), now))

        asked = Asked(new_holds=[(order.user, order.id) for order in orders])
        outcomes = await self._batches.commit(Operation(users, change, asked, opens=True))
        return quota_pb2.BatchReserveResponse(results=convert.results_to_proto(users, outcomes))

    async def BatchSettle(
        self, request: quota_pb2.BatchSettleRequest, context: Context[Any, Any]
    ) -> quota_pb2.BatchSettleResponse:
        orders = convert.settle_orders_from_proto(request)
        gathered = batch.all_or_nothing if request.all_or_nothing else batch.each
        users = [order.user for order in orders]

        def change(accounts: dict[str, Account], now: datetime) -> Any:
            return gathered(accounts, orders, lambda account, order: settle(account, order, self._tariff(), now))

        asked = Asked(holds=[(order.user, order.hold) for order in orders])
        outcomes = await self._batches.commit(Operation(users, change, asked))
        return quota_pb2.BatchSettleResponse(results=convert.results_to_proto(users, outcomes))

    async def Grant(self, request: quota_pb2.GrantRequest, context: Context[Any, Any]) -> quota_pb2.Credit:
        order = convert.grant_order_from_proto(request)

        def change(account: Account, now: datetime) -> quota_pb2.Credit:
            return convert.credit_to_proto(order.user, grant(account, order, self._tariff(), now))

        asked = Asked(credits=[(order.user, order.id)])
        return await self._commits.commit(single(order.user, change, asked, opens=True))

    async def Adjust(self, request: quota_pb2.AdjustRequest, context: Context[Any, Any]) -> quota_pb2.Adjustment:
        order = convert.adjust_order_from_proto(request)

        def change(account: Account, now: datetime) -> quota_pb2.Adjustment:
            return convert.adjustment_to_proto(order.user, adjust(account, order, self._tariff(), now))

        named = [(order.user, one) for one in order.corrects]
        asked = Asked(credits=named, adjustments=[(order.user, order.id)])
        return await self._commits.commit(single(order.user, change, asked))

    async def SetPlan(self, request: quota_pb2.SetPlanRequest, context: Context[Any, Any]) -> quota_pb2.PlanChange:
        order = convert.plan_order_from_proto(request)

        def change(account: Account, now: datetime) -> quota_pb2.PlanChange:
            return convert.plan_change_to_proto(order.user, set_plan(account, order, self._tariff(), now))

        asked = Asked(plan_changes=[(order.user, order.id)])
        return await self._commits.commit(single(order.user, change, asked, opens=True))

    async def ListHolds(
        self, request: quota_pb2.ListHoldsRequest, context: Context[Any, Any]
    ) -> quota_pb2.ListHoldsResponse:
        user = await self._known(convert.user_from_name(request.parent))
        state, size = convert.state_from_proto(request), listing.page_size_from_proto(request)
        scope = listing.holds_scope(user, state)
        holds = await self._history.holds(user, state, listing.hold_before_from_proto(scope, request), size + 1)
        return listing.holds_to_proto(user, scope, holds, size)

    async def VoidHold(self, request: quota_pb2.VoidHoldRequest, context: Context[Any, Any]) -> quota_pb2.Hold:
        user, hold_id = convert.user_from_name(request.name), convert.id_from_name(request.name)
        operator = caller().person()

        def change(account: Account, now: datetime) -> quota_pb2.Hold:
            return convert.hold_to_proto(user, void(account, hold_id, operator, request.reason, self._tariff(), now))

        voided = await self._commits.commit(single(user, change, Asked(holds=[(user, hold_id)])))
        log.info("hold voided", hold=request.name, operator=operator, why=request.reason)
        return voided

    async def _whose(self, user: str, reason: str) -> str:
        """The user whose quota the caller may read; an operator may read everybody's who has an account."""
        owner = caller().owner(user, reason=reason, operators=True)
        own = caller().is_sibling or owner == caller().user
        return owner if own else await self._known(owner)

    async def _known(self, user: str) -> str:
        if not await self._history.known(user):
            raise NotFound("There is no account of this user.", reason="ACCOUNT_NOT_FOUND")
        return user

    async def _account(self, user: str) -> Account:
        """The account as it was last committed; an empty one for a user who never used anything."""
        now = self._clock()
        return await self._ledger.account(user) or Account(user, now)

    async def _look(self, user: str) -> Look[quota_pb2.Quota]:
        account = await self._account(user)
        return Look(self._quota(account, self._clock()), account.due)

    def _quota(self, account: Account, now: datetime) -> quota_pb2.Quota:
        tariff = self._tariff()
        now = account.advance(tariff, now)
        plan = tariff.plans.plan(account.plan)
        meters = sorted({*plan.allowances, *(one.meter for one in account.credits.values())})
        return convert.quota_to_proto(account, plan, [decide(account, one, 1, tariff, now) for one in meters])

    def _reserved(self, user: str, outcome: Reserved | Refused) -> quota_pb2.ReserveResponse:
        for decision in _watched(outcome):
            log.info("would be refused", user=user, meter=decision.meter.name, amount=decision.amount)
        return convert.reserved_to_proto(user, outcome)


def _watched(outcome: Reserved | Refused) -> Sequence[Any]:
    """The refusals that a shadow limit does not enforce."""
    return [one for one in outcome.decisions if one.shadow] if isinstance(outcome, Reserved) else []
