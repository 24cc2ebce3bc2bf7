"""What is being bought, from before its page is opened until it is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import typer
from google.protobuf.message import Message
from rich.console import Console

from cli.billing.invoices import table
from cli.billing.subscription import MINE
from cli.billing.subscription import report as subscription
from cli.caller import Caller
from cli.client import CALL_SECONDS, Client
from cli.failures import ExitCode, Failure
from cli.quota.table import report as quota
from cli.tables import draw
from cli.text import clock, to_json
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub

POLL_SECONDS = 0.5
# How often it is asked, after the payment, whether the quota has moved.
QUOTA_POLLS = 10
PASSING = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


@dataclass(frozen=True)
class Bought:
    """What of an article somebody has: agreements in force or paid invoices, the answer that says so, and the quota."""

    ids: frozenset[str]
    told: billing_pb2.Subscription | billing_pb2.ListInvoicesResponse
    quota: quota_pb2.Quota


@dataclass(frozen=True)
class Arrival:
    client: Client
    article: str
    had: Bought

    @classmethod
    async def before(cls, client: Client, article: str) -> Arrival:
        """To be asked before there is a page."""
        async with client.channel() as channel:
            return cls(client, article, await _bought(client, channel, article))

    def follow(self, caller: Caller, page: billing_pb2.CheckoutSession) -> None:
        """Waits until it is there, and tells what one has then. Failure when the page has closed before."""
        closes = clock(page.expire_time)
        try:
            with _spinner(f"Waiting for the payment, until {closes} at most", hidden=caller.as_json):
                has = asyncio.run(self._followed(page))
        except KeyboardInterrupt as stop:
            typer.echo(f"The page stays open until {closes}.", err=True)
            raise typer.Exit(ExitCode.INTERRUPTED) from stop
        if caller.as_json:
            answers: dict[str, Message] = {"bought": has.told, "quota": has.quota}
            typer.echo(json.dumps({name: to_json(one) for name, one in answers.items()}, ensure_ascii=False))
        elif isinstance(has.told, billing_pb2.Subscription):
            draw(*subscription(has.told), *quota(has.quota))
        else:
            new = [one for one in has.told.invoices if one.name in has.ids - self.had.ids]
            draw(table(new), *quota(has.quota))

    async def _followed(self, page: billing_pb2.CheckoutSession) -> Bought:
        end = page.expire_time.ToDatetime(UTC)
        async with self.client.channel() as channel:
            has = self.had
            while not has.ids - self.had.ids:
                if datetime.now(UTC) >= end:
                    raise Failure("The page has closed, and nothing was paid.", code="DEADLINE_EXCEEDED")
                await asyncio.sleep(POLL_SECONDS)
                has = await self._look(channel, has)
            for _ in range(QUOTA_POLLS):
                if self._refilled(has.quota):
                    break
                await asyncio.sleep(POLL_SECONDS)
                has = await self._look(channel, has)
            return has

    def _refilled(self, quota: quota_pb2.Quota) -> bool:
        """Whether quota_svc was told: it is shortly after billing_svc knows."""
        if self.article.startswith("plans/"):
            return quota.plan == self.article
        return quota.meters != self.had.quota.meters

    async def _look(self, channel: grpc.aio.Channel, last: Bought) -> Bought:
        """What it is now; the last answer once more while there is none."""
        try:
            return await _bought(self.client, channel, self.article)
        except grpc.aio.AioRpcError as error:
            if error.code() not in PASSING:
                raise
            return last


async def _bought(client: Client, channel: grpc.aio.Channel, article: str) -> Bought:
    billing = BillingServiceStub(channel)
    left = await QuotaServiceStub(channel).GetQuota(
        quota_pb2.GetQuotaRequest(name="users/me/quota"), timeout=CALL_SECONDS, metadata=client.metadata
    )
    if article.startswith("packs/"):
        page = billing_pb2.ListInvoicesRequest(parent="users/me")
        paid = await billing.ListInvoices(page, timeout=CALL_SECONDS, metadata=client.metadata)
        return Bought(frozenset(_invoices(paid, article)), paid, left)
    request = billing_pb2.GetSubscriptionRequest(name=MINE)
    told = await billing.GetSubscription(request, timeout=CALL_SECONDS, metadata=client.metadata)
    return Bought(frozenset(_agreements(told, article)), told, left)


def _invoices(answer: billing_pb2.ListInvoicesResponse, article: str) -> Iterator[str]:
    for one in answer.invoices:
        if one.state == billing_pb2.INVOICE_STATE_PAID and any(line.article == article for line in one.lines):
            yield one.name


def _agreements(answer: billing_pb2.Subscription, article: str) -> Iterator[str]:
    for one in answer.agreements:
        if one.in_force and one.plan == article:
            yield f"{one.provider} {one.id} {one.period_end_time.seconds}"


@contextmanager
def _spinner(text: str, *, hidden: bool) -> Iterator[None]:
    console = Console(stderr=True)
    if hidden or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
