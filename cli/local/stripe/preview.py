"""Invoices that are not made: what a change or the next period would cost."""

from cli.local.stripe import changing, lines, passing, schedules
from cli.local.stripe.account import Account
from cli.local.stripe.invoicing import draft
from cli.local.stripe.params import Params
from cli.local.stripe.refusal import Refusal
from cli.local.stripe.store import Object
from cli.local.stripe.subscribing import begin_next_period
from cli.local.stripe.views import render

NAMES = ("customer", "expand", "preview_mode", "schedule", "subscription", "subscription_details")
DETAILS = ("billing_cycle_anchor", "cancel_at_period_end", "items", "proration_behavior", "proration_date", "trial_end")


def create(account: Account, _: str, params: Params) -> Object:
    """What `POST /v1/invoices/create_preview` gives; nothing of it is kept."""
    params.only(*NAMES)
    name = params.needed("subscription")
    details = params.within("subscription_details").only(*DETAILS)
    with account.store.tentative():
        subscription = account.store.edit("subscription", name)
        if params.text("customer") not in (None, subscription["customer"]):
            raise Refusal("The subscription is not this customer's.", param="subscription")
        invoice = None
        if details.values:
            invoice = changing.change_prices(
                account, subscription, details, changing.terms(account, details, subscription)
            )
        invoice = invoice or _next(account, subscription, ending=bool(details.flag("cancel_at_period_end")))
        shown = render(account, invoice)
    return {**shown, "id": f"upcoming_{shown['id']}"}


def _next(account: Account, subscription: Object, *, ending: bool) -> Object:
    """The invoice of the period that comes next."""
    if ending or subscription["cancel_at_period_end"] or subscription["status"] not in passing.LIVING:
        raise Refusal(
            "No upcoming invoices for customer: " + subscription["customer"],
            status=404,
            code="invoice_upcoming_none",
        )
    moment = max(account.now(), subscription["items"][0]["current_period_end"])
    with account.clock.held(moment):
        if subscription["schedule"] is not None:
            phase = account.store.get("subscription_schedule", subscription["schedule"])["current_phase"]
            if phase["end_date"] <= moment:
                schedules.advance(account, subscription["schedule"])
        begin_next_period(account, subscription)
        whole = [lines.full(account, subscription, item) for item in subscription["items"]]
        return draft(account, subscription, [*subscription["_waiting"], *whole], "upcoming")
