"""`scenemesh billing deliveries` and `scenemesh billing replay`."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cli.billing.words import slug
from cli.caller import Caller
from cli.client import CALL_SECONDS, Client
from cli.failures import ExitCode, Failure
from cli.issuer import Role
from cli.options import All
from cli.pages import MORE
from cli.tables import draw, named
from cli.text import cell, clock, word
from scenemesh.billing.v1 import billing_pb2, webhook_pb2
from scenemesh.billing.v1.webhook_pb2_grpc import WebhookServiceStub


class DeliveryState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    DEAD = "dead"


STATES = {
    DeliveryState.PENDING: webhook_pb2.DELIVERY_STATE_PENDING,
    DeliveryState.DONE: webhook_pb2.DELIVERY_STATE_DONE,
    DeliveryState.IGNORED: webhook_pb2.DELIVERY_STATE_IGNORED,
    DeliveryState.DEAD: webhook_pb2.DELIVERY_STATE_DEAD,
}


class Provider(StrEnum):
    STRIPE = "stripe"
    REVENUECAT = "revenuecat"
    LEMON_SQUEEZY = "lemon_squeezy"
    CRYPTOMUS = "cryptomus"


PROVIDERS = {
    Provider.STRIPE: billing_pb2.PROVIDER_STRIPE,
    Provider.REVENUECAT: billing_pb2.PROVIDER_REVENUECAT,
    Provider.LEMON_SQUEEZY: billing_pb2.PROVIDER_LEMON_SQUEEZY,
    Provider.CRYPTOMUS: billing_pb2.PROVIDER_CRYPTOMUS,
}

NONE = "There is no such delivery."

From = Annotated[Provider | None, typer.Option("--provider", help="Only this provider's.")]


def deliveries(
    caller: Caller,
    only: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    provider: From = None,
    every: All = False,
) -> None:
    """List what providers sent, newest first, and what became of it. For operators."""
    answer = _deliveries(caller, only, provider, every)
    caller.tell(answer, lambda: _show(answer))


def replay(
    caller: Caller,
    delivery: Annotated[str | None, typer.Argument(metavar="ID", help="As `billing deliveries` shows it.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Every one that was given up.")] = False,
    provider: From = None,
) -> None:
    """Work on a delivery once more, or on all that were given up. Changes nothing that is right. For operators."""
    if dead == (delivery is not None):
        raise Failure("Name one delivery, or all dead ones with --dead.", ExitCode.USAGE, "INVALID_ARGUMENT")
    if delivery is None:
        names = [one.name for one in _deliveries(caller, DeliveryState.DEAD, provider, every=True).deliveries]
    else:
        names = [f"webhookDeliveries/{slug(delivery)}"]
    replayed: list[str] = []
    try:
        asyncio.run(_replay(caller.client(Role.OPERATOR), names, replayed, hidden=caller.as_json))
    except Failure as failure:
        failure.hint = f"{len(replayed)} of {len(names)} were replayed before. {failure.hint}" if dead else failure.hint
        raise
    if caller.as_json:
        typer.echo(json.dumps({"replayed": replayed}))
    elif not replayed:
        typer.echo(NONE, err=True)
    else:
        typer.echo(f"{len(replayed)} replayed; `scenemesh billing deliveries` shows what became of them.")


def _deliveries(
    caller: Caller, only: DeliveryState | None, provider: Provider | None, every: bool
) -> webhook_pb2.ListWebhookDeliveriesResponse:
    request = webhook_pb2.ListWebhookDeliveriesRequest(
        state=STATES[only] if only is not None else webhook_pb2.DELIVERY_STATE_UNSPECIFIED,
        provider=PROVIDERS[provider] if provider is not None else billing_pb2.PROVIDER_UNSPECIFIED,
    )
    return caller.pages(
        lambda channel: WebhookServiceStub(channel).ListWebhookDeliveries, request, every, Role.OPERATOR
    )


async def _replay(client: Client, names: Sequence[str], replayed: list[str], *, hidden: bool) -> None:
    console = Console(stderr=True)
    async with client.channel() as channel:
        webhooks = WebhookServiceStub(channel)
        bar = track(names, "Replaying", console=console, disable=hidden or not console.is_terminal)
        for name in bar:
            request = webhook_pb2.ReplayWebhookDeliveryRequest(name=name)
            await webhooks.ReplayWebhookDelivery(request, timeout=CALL_SECONDS, metadata=client.metadata)
            replayed.append(name)


def _show(answer: webhook_pb2.ListWebhookDeliveriesResponse) -> None:
    if answer.deliveries:
        draw(_table(answer.deliveries))
    else:
        typer.echo(NONE, err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def _table(rows: Iterable[webhook_pb2.WebhookDelivery]) -> Table:
    drawn = Table(named("Delivery"), "From", "Says", "State", "Tries", "Received", "Detail")
    for one in rows:
        drawn.add_row(
            cell(slug(one.name)),
            word(one, "provider", "PROVIDER_"),
            cell(one.event_type),
            word(one, "state", "DELIVERY_STATE_"),
            str(one.attempts),
            clock(one.receive_time),
            cell(one.detail),
        )
    return drawn
