"""The commands of `scenemesh billing`."""

from collections.abc import Callable

import typer

from cli.billing.change import change
from cli.billing.checkout import checkout
from cli.billing.deliveries import deliveries, replay
from cli.billing.invoices import buy, invoices
from cli.billing.plans import plans
from cli.billing.portal import portal
from cli.billing.promo import create, listing, redeem
from cli.billing.reconcile import reconcile
from cli.billing.subscription import cancel, pause, resume, subscription
from cli.caller import calling
from cli.failures import EPILOG

app = typer.Typer(help="See plans, buy them and credits, and explain what was charged.", no_args_is_help=True)
promo = typer.Typer(help="Codes that give credits or days of a plan. For operators.", no_args_is_help=True)


def _add(to: typer.Typer, command: Callable[..., None], name: str | None = None) -> None:
    to.command(name, epilog=EPILOG)(calling(command))


for buying in (plans, subscription, checkout, portal, change, cancel, pause, resume, invoices, buy, redeem):
    _add(app, buying)
app.add_typer(promo, name="promo")
for looking in (deliveries, replay, reconcile):
    _add(app, looking)
_add(promo, create)
_add(promo, listing, "list")
