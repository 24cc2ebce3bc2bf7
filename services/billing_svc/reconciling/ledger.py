"""What quota_svc says of a user. Reading it changes nothing there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import grpc

from runtime.errors import Unavailable
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from services.billing_svc.convert.effects import METER
from services.billing_svc.domain.drift import Entered, Given

CALL_SECONDS = 5.0
PAGE_ENTRIES = 100
# Somebody who used bought credits so often since the oldest payment that is compared is not compared any further back.
PAGES_MAX = 1000

GRANT = quota_pb2.ENTRY_KIND_GRANT
ADJUSTMENT = quota_pb2.ENTRY_KIND_ADJUSTMENT

Answer = TypeVar("Answer")


class Ledger:
    """Unavailable (QUOTA_UNAVAILABLE) when quota_svc does not answer."""

    def __init__(self, quota: quota_pb2_grpc.QuotaServiceAsyncStub) -> None:
        self._quota = quota

    async def plan(self, user: str) -> str:
        """The plan that quota_svc has the user on."""
        request = quota_pb2.GetQuotaRequest(name=f"users/{user}/quota")
        answer = await _answered(self._quota.GetQuota(request, timeout=CALL_SECONDS))
        return answer.plan.removeprefix("plans/")

    async def entered(self, user: str, wanted: Collection[Given], since: datetime) -> Mapping[UUID, Entered] | None:
        """What the ledger has of these grants, none of them made before `since`; None when it is too long to say."""
        found = {one.grant: Entered() for one in wanted}
        settled = {one.grant: Entered(one.credits, one.reclaimed) for one in wanted}
        pages = 0
        async for page in self._pages(user, since):
            for entry in page:
                _enter(found, entry)
            pages += 1
            # The newest come first, and what was taken back always after it was given.
            if found == settled:
                break
            if pages == PAGES_MAX:
                return None
        return found

    async def _pages(self, user: str, since: datetime) -> AsyncIterator[list[quota_pb2.Entry]]:
        request = quota_pb2.ListEntriesRequest(
            parent=f"users/{user}",
            page_size=PAGE_ENTRIES,
            meter=METER,
            source=quota_pb2.SOURCE_PURCHASE,
            start_time=since,
        )
        while True:
            answer = await _answered(self._quota.ListEntries(request, timeout=CALL_SECONDS))
            yield list(answer.entries)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token


def _enter(found: dict[UUID, Entered], entry: quota_pb2.Entry) -> None:
    if entry.kind not in (GRANT, ADJUSTMENT):
        return
    grant = UUID(entry.credit_name.rpartition("/")[2])
    if (had := found.get(grant)) is None:
        return
    if entry.kind == GRANT:
        found[grant] = replace(had, credits=entry.amount)
    else:
        change = -entry.amount if entry.credit == quota_pb2.ACCOUNT_AVAILABLE else entry.amount
        found[grant] = replace(had, reclaimed=had.reclaimed + change)


async def _answered(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise Unavailable(f"quota_svc does not answer: {error.code().name}.", reason="QUOTA_UNAVAILABLE") from error
