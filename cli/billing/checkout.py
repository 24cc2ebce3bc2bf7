"""`scenemesh billing checkout`."""

import asyncio
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import typer

from cli.billing.arrival import Arrival
from cli.billing.page import Open, landing, tell
from cli.billing.plans import price
from cli.billing.words import INTERVALS, Interval, amount
from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.text import printable
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub

OFFERS = "`scenemesh billing plans` shows what there is."


class Seller(StrEnum):
    STRIPE = "stripe"
    LEMON_SQUEEZY = "lemon_squeezy"
    CRYPTOMUS = "cryptomus"


SELLERS = {
    Seller.STRIPE: billing_pb2.PROVIDER_STRIPE,
    Seller.LEMON_SQUEEZY: billing_pb2.PROVIDER_LEMON_SQUEEZY,
    Seller.CRYPTOMUS: billing_pb2.PROVIDER_CRYPTOMUS,
}

Article = billing_pb2.Plan | billing_pb2.Pack


def checkout(
    caller: Caller,
    name: Annotated[str, typer.Argument(metavar="PLAN|PACK", help="What to buy, for example pro or packs/small.")],
    interval: Annotated[
        Interval | None, typer.Option(help="What of a plan is paid for in advance; a month where it is sold.")
    ] = None,
    trial: Annotated[bool, typer.Option("--trial", help="Begin with the plan's days of trial.")] = False,
    promo: Annotated[str, typer.Option(metavar="CODE", help="A code of the provider's that makes it cheaper.")] = "",
    provider: Annotated[Seller, typer.Option(help="Who takes the money.")] = Seller.STRIPE,
    opened: Open = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is paid, and show what you have then.")] = False,
    success_url: Annotated[str | None, typer.Option(help="Where the page sends you afterwards.")] = None,
    cancel_url: Annotated[str | None, typer.Option(help="Where it sends you if you turn back.")] = None,
) -> None:
    """Open a page where a plan or a pack is paid for, and print its URL."""
    article = _article(caller, name)
    request = billing_pb2.CreateCheckoutSessionRequest(
        parent="users/me",
        request_id=str(uuid4()),
        provider=SELLERS[provider],
        promo_code=promo,
        success_url=landing(caller, success_url),
        cancel_url=landing(caller, cancel_url),
    )
    if isinstance(article, billing_pb2.Plan):
        chosen = _price(article, interval)
        request.plan.CopyFrom(billing_pb2.PlanChoice(plan=article.name, interval=chosen.interval, trial=trial))
        offer = f"{article.display_name}, {price(chosen)}"
    else:
        if interval is not None or trial:
            message = "A pack is paid for once: --interval and --trial have no meaning."
            raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT")
        request.pack = article.name
        offer = f"{article.display_name}, {amount(article.amount)}"
    arrival = asyncio.run(Arrival.before(caller.client(), article.name)) if wait else None
    page = caller.change(lambda channel: BillingServiceStub(channel).CreateCheckoutSession, request)
    if not caller.as_json:
        typer.echo(printable(offer), err=True)
    tell(caller, page, opened=opened)
    if arrival is not None:
        arrival.follow(caller, page)


def _article(caller: Caller, name: str) -> Article:
    """What is on offer under a resource name, or under what comes after its slash."""
    answer = caller.ask(lambda channel: BillingServiceStub(channel).ListPlans, billing_pb2.ListPlansRequest())
    offers: list[Article] = [*answer.plans, *answer.packs]
    found = [one for one in offers if name in (one.name, one.name.partition("/")[2])]
    if not found:
        raise Failure(f"There is no plan or pack {name!r}.", code="NOT_FOUND", hint=OFFERS)
    if len(found) > 1:
        names = " or ".join(one.name for one in found)
        raise Failure(f"{name!r} may be {names}.", ExitCode.USAGE, "INVALID_ARGUMENT", hint="Say the whole name.")
    return found[0]


def _price(plan: billing_pb2.Plan, interval: Interval | None) -> billing_pb2.Price:
    wanted = INTERVALS[interval or Interval.MONTH]
    prices = [one for one in plan.prices if one.interval == wanted] or ([] if interval else list(plan.prices))
    if not prices:
        sold = ", ".join(map(price, plan.prices)) or "nothing"
        raise Failure(f"{plan.name} is not sold so. It costs {sold}.", ExitCode.USAGE, "INVALID_ARGUMENT", hint=OFFERS)
    return prices[0]
