"""A quota_svc that also says what it was told, and that can forget it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc

from scenemesh.quota.v1 import quota_pb2
from tests.service.billing_svc.quota import QuotaDesk

AVAILABLE = quota_pb2.ACCOUNT_AVAILABLE
RECLAIMED = quota_pb2.ACCOUNT_RECLAIMED
ISSUED = quota_pb2.ACCOUNT_ISSUED


class LedgerDesk(QuotaDesk):
    """`page_max` entries are on a page; `reading_fault`, while it is set, answers every question."""

    def __init__(self) -> None:
        super().__init__()
        self.page_max = 100
        self.reading_fault: grpc.StatusCode | None = None

    def forget(self, effect: UUID) -> None:
        """As if it had never been told."""
        del self.effects[str(effect)]

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Any) -> quota_pb2.Quota:
        await self._readable(context)
        return quota_pb2.Quota(name=request.name, plan=self.plan(request.name.split("/")[1]))

    async def ListEntries(self, request: quota_pb2.ListEntriesRequest, context: Any) -> quota_pb2.ListEntriesResponse:
        await self._readable(context)
        assert (request.meter, request.source) == ("credits", quota_pb2.SOURCE_PURCHASE)
        entries = self._entries(request.parent)
        place = int(request.page_token or 0)
        end = place + min(request.page_size, self.page_max)
        token = str(end) if end < len(entries) else ""
        return quota_pb2.ListEntriesResponse(entries=entries[place:end], next_page_token=token)

    async def _readable(self, context: Any) -> None:
        if self.reading_fault is not None:
            await context.abort(self.reading_fault, "the test wants it so")

    def _entries(self, parent: str) -> list[quota_pb2.Entry]:
        entries = []
        for one in self.effects.values():
            if isinstance(one, quota_pb2.GrantRequest) and one.parent == parent:
                name = f"{parent}/credits/{one.request_id}"
                entries.append(_entry(quota_pb2.ENTRY_KIND_GRANT, name, one.amount, ISSUED, AVAILABLE))
            if isinstance(one, quota_pb2.AdjustRequest) and one.parent == parent:
                accounts = (ISSUED, AVAILABLE) if one.amount > 0 else (AVAILABLE, RECLAIMED)
                entries.append(_entry(quota_pb2.ENTRY_KIND_ADJUSTMENT, one.credit, abs(one.amount), *accounts))
        return entries[::-1]


def _entry(
    kind: quota_pb2.EntryKind, credit: str, amount: int, debit: quota_pb2.Account, into: quota_pb2.Account
) -> quota_pb2.Entry:
    return quota_pb2.Entry(kind=kind, credit_name=credit, amount=amount, debit=debit, credit=into, meter="credits")
