"""Subscriptions: how one begins and how it ends."""

from cli.local.stripe import collecting, invoicing, lines
from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.periods import DAY_SECONDS, period_end
from cli.local.stripe.refusal import missing
from cli.local.stripe.store import Object, new_id

ENDED = ("canceled", "incomplete_expired")
NOTICE_SECONDS = 3 * DAY_SECONDS


def begin(
    account: Account,
    customer: str,
    prices: list[tuple[str, int]],
    method: str | None,
    *,
    metadata: dict[str, str] | None = None,
    trial_end: int | None = None,
) -> Object:
    """A new subscription to prices and quantities, without its first invoice."""
    now = account.now()
    identity = new_id("sub_")
    subscription = made(
        account,
        "subscription",
        identity,
        application=None,
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None},
        billing_cycle_anchor=trial_end or now,
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}},
        billing_schedules=[],
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        currency=CURRENCY,
        customer=customer,
        customer_account=None,
        days_until_due=None,
        default_payment_method=method,
        description=None,
        discounts=[],
        ended_at=None,
        items=[],
        latest_invoice=None,
        metadata=dict(metadata or {}),
        next_pending_invoice_item_invoice=None,
        pause_collection=None,
        pending_setup_intent=None,
        pending_update=None,
        schedule=None,
        start_date=now,
        status="trialing" if trial_end else "incomplete",
        status_details=None,
        test_clock=None,
        trial_end=trial_end,
        trial_settings={"end_behavior": {"billing_cycle_anchor": "now", "missing_payment_method": "create_invoice"}},
        trial_start=now if trial_end else None,
        # Prorations that wait for the next invoice, and whether the end of the trial was announced.
        _waiting=[],
        _announced=False,
    )
    account.store.add("subscription", subscription)
    for price, quantity in prices:
        add_item(account, subscription, price, quantity)
    happened(account, "customer.subscription.created", subscription)
    return subscription


def add_item(account: Account, subscription: Object, price: str, quantity: int) -> Object:
    """Another price of a subscription, with the subscription's period."""
    recurring = account.store.get("price", price)["recurring"]
    now, anchor = account.now(), subscription["billing_cycle_anchor"]
    end = subscription["trial_end"] if subscription["status"] == "trialing" else None
    item = {
        "id": new_id("si_"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": end or period_end(anchor, now, recurring["interval"], recurring["interval_count"]),
        "current_period_start": now,
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
        # What a whole period of it was paid with, for what is given back of it.
        "_paid": 0,
    }
    subscription["items"].append(item)
    return item


def begin_next_period(account: Account, subscription: Object) -> None:
    """Moves a subscription into the period that follows its present one, out of its trial if it is in one."""
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    for item in subscription["items"]:
        recurring = account.store.get("price", item["price"])["recurring"]
        start, anchor = item["current_period_end"], subscription["billing_cycle_anchor"]
        item["current_period_start"] = start
        item["current_period_end"] = period_end(anchor, start, recurring["interval"], recurring["interval_count"])


def invoice_period(account: Account, identity: str, reason: str, *, buyer_is_there: bool = False) -> str | None:
    """The invoice of a period that begins, and its payment. Gives None, or the decline code of what was not paid."""
    subscription = account.store.edit("subscription", identity)
    waiting, subscription["_waiting"] = subscription["_waiting"], []
    whole = [lines.full(account, subscription, item) for item in subscription["items"]]
    invoice = invoicing.draft(account, subscription, [*waiting, *whole], reason)
    for item, line in zip(subscription["items"], whole, strict=True):
        item["_paid"] = invoicing.net_of(line)
    subscription["latest_invoice"] = invoice["id"]
    return settle(account, subscription, invoice["id"], buyer_is_there=buyer_is_there)


def settle(account: Account, subscription: Object, invoice: str, *, buyer_is_there: bool = False) -> str | None:
    """Closes a new invoice of a subscription and has it paid, unless collection is paused."""
    paused = subscription["pause_collection"]
    match paused and paused["behavior"]:
        case "keep_as_draft":
            account.store.edit("invoice", invoice)["auto_advance"] = False
            return None
        case "void":
            invoicing.close(account, invoice)
            invoicing.void(account, invoice)
            return None
        case "mark_uncollectible":
            invoicing.close(account, invoice)
            invoicing.uncollectible(account, invoice, "subscription_paused")
            return None
    invoicing.finalize(account, invoice)
    collecting.recover(account, subscription["id"])
    return collecting.collect(account, invoice, buyer_is_there=buyer_is_there)


def end(account: Account, identity: str, reason: str, moment: int | None = None) -> Object:
    """Ends a subscription: now, or as of a moment that has come."""
    subscription = account.store.get("subscription", identity)
    if subscription["status"] in ENDED:
        raise missing("subscription", identity)
    with changing(account, "subscription", identity, None) as changed:
        changed["status"] = "canceled"
        changed["ended_at"] = moment or account.now()
        changed["canceled_at"] = changed["canceled_at"] or account.now()
        changed["cancellation_details"]["reason"] = reason
        schedule, changed["schedule"] = changed["schedule"], None
    _stop_collecting(account, identity)
    if schedule is not None:
        with changing(account, "subscription_schedule", schedule, "subscription_schedule.canceled") as ended:
            ended |= {"status": "canceled", "canceled_at": account.now(), "current_phase": None}
    happened(account, "customer.subscription.deleted", subscription)
    return subscription


def _stop_collecting(account: Account, identity: str) -> None:
    for invoice in account.store.all("invoice"):
        if collecting.subscription_of(invoice) == identity and invoice["status"] == "open":
            with changing(account, "invoice", invoice["id"], "invoice.updated") as changed:
                changed |= {"auto_advance": False, "next_payment_attempt": None}
