"""The RPCs of QuotaService."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import grpc

from runtime.context import caller
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from services.quota_svc import convert
from services.quota_svc.accounts import Accounts
from services.quota_svc.domain.exhausted import exhausted
from services.quota_svc.domain.hold import Hold, ReserveOrder
from services.quota_svc.domain.meter import Meter, window
from services.quota_svc.domain.plan import Plan
from services.quota_svc.plans import Plans
from services.quota_svc.store import Books, Ledger

SERVICE = "scenemesh.quota.v1.QuotaService"

Context = grpc.aio.ServicerContext


class QuotaServicer(quota_pb2_grpc.QuotaServiceServicer):
    """`clock` gives the present in UTC, `new_id` an id for a hold."""

    def __init__(self, ledger: Ledger, plans: Plans, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._ledger = ledger
        self._plans = plans
        self._accounts = Accounts(ledger, plans, clock)
        self._clock = clock
        self._new_id = new_id

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context[Any, Any]) -> quota_pb2.Quota:
        user = caller().owner(convert.user_from_name(request.name), reason="QUOTA_NOT_FOUND")
        plan = await self._accounts.plan(user)
        now = self._clock()
        names = sorted({*plan.allowances, *await self._ledger.granted_meters(user)})
        windows = {name: window(plan.allowances.get(name), now) for name in names}
        figures = await self._ledger.figures(user, windows, now)
        meters = [Meter(name, plan.allowances.get(name), windows[name], figures[name]) for name in names]
        return convert.quota_to_proto(user, plan, meters)

    async def ListEntries(
        self, request: quota_pb2.ListEntriesRequest, context: Context[Any, Any]
    ) -> quota_pb2.ListEntriesResponse:
        user = caller().owner(convert.user_from_name(request.parent), reason="ENTRIES_NOT_FOUND")
        page_size = convert.page_size_from_proto(request)
        before = convert.before_from_proto(user, request)
        entries = await self._ledger.entries(user, before, page_size + 1)
        return convert.entries_to_proto(user, entries, page_size)

    async def Reserve(self, request: quota_pb2.ReserveRequest, context: Context[Any, Any]) -> quota_pb2.ReserveResponse:
        order = convert.reserve_order_from_proto(request)
        plan = await self._accounts.plan(order.user)
        async with self._ledger.books(order.user) as books:
            now = self._clock()
            earlier = await books.hold_of_request(order.request_id)
            hold = order.answered_by(earlier) if earlier is not None else await self._taken(books, order, plan, now)
        return convert.reserved_to_proto(hold.at(now), plan)

    async def Settle(self, request: quota_pb2.SettleRequest, context: Context[Any, Any]) -> quota_pb2.Hold:
        async with self._ledger.books(convert.user_from_name(request.name)) as books:
            hold = await books.hold(convert.hold_id_from_name(request.name))
            settled, charges = hold.settled(request.amount, convert.usage_from_proto(request), self._clock())
            await books.resolve(settled, charges)
        return convert.hold_to_proto(settled)

    async def Release(self, request: quota_pb2.ReleaseRequest, context: Context[Any, Any]) -> quota_pb2.Hold:
        async with self._ledger.books(convert.user_from_name(request.name)) as books:
            hold = await books.hold(convert.hold_id_from_name(request.name))
            released = hold.released(self._clock())
            await books.resolve(released)
        return convert.hold_to_proto(released)

    async def Grant(self, request: quota_pb2.GrantRequest, context: Context[Any, Any]) -> quota_pb2.Entry:
        order = convert.grant_order_from_proto(request)
        now = self._clock()
        await self._ledger.open(order.user, now)
        async with self._ledger.books(order.user) as books:
            earlier = await books.entry_of_request(order.request_id)
            entry = order.answered_by(earlier) if earlier is not None else await books.record(order.movement(now))
        return convert.entry_to_proto(entry)

    async def _taken(self, books: Books, order: ReserveOrder, plan: Plan, now: datetime) -> Hold:
        """A new hold, if what is left on the meter lets it be taken."""
        allowance = plan.allowances.get(order.meter)
        period = window(allowance, now)
        meter = Meter(order.meter, allowance, period, await books.figures(order.meter, period, now))
        split = meter.split(order.amount)
        if split is None:
            raise exhausted(order.user, plan, meter, order.amount, self._plans.table)
        hold = order.hold(split, now, self._new_id())
        await books.add(hold)
        return hold
