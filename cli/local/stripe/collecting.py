"""Paying invoices, and what becomes of a subscription whose invoice is not paid."""

from cli.local.stripe import cards, charging, invoicing
from cli.local.stripe.account import Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.periods import DAY_SECONDS
from cli.local.stripe.store import Object, new_id

# Days from one attempt to the next; after the last one the subscription ends.
RETRY_DAYS = (3, 5, 7)

DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def collect(account: Account, identity: str, *, buyer_is_there: bool = False) -> str | None:
    """Tries to have an open invoice paid. Gives None when it is, else Stripe's decline code."""
    invoice = account.store.get("invoice", identity)
    if invoice["status"] != "open":
        return None
    subscription = account.store.get("subscription", subscription_of(invoice))
    payment = _payment(account, invoice)
    method = cards.usual(account, invoice["customer"], subscription)
    intent = payment["payment"]["payment_intent"]
    decline = charging.attempt(account, intent, method, buyer_is_there=buyer_is_there)
    changed = account.store.edit("invoice", identity)
    changed["attempt_count"] += 1
    changed["attempted"] = True
    if decline is None:
        _settled(account, payment["id"], invoice["amount_due"])
        invoicing.paid(account, identity)
        recover(account, subscription["id"])
        return None
    _plan_next(account, changed)
    happened(account, "invoice.payment_failed", changed)
    if decline == "authentication_required":
        happened(account, "invoice.payment_action_required", changed)
    return decline


def subscription_of(invoice: Object) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def payments_of(account: Account, invoice: str) -> list[Object]:
    return [one for one in account.store.all("invoice_payment") if one["invoice"] == invoice]


def _payment(account: Account, invoice: Object) -> Object:
    """How an invoice is paid: one payment intent, however many attempts it takes."""
    for known in payments_of(account, invoice["id"]):
        return known
    intent = charging.intend(
        account, invoice["amount_due"], invoice["customer"], description=DESCRIPTIONS.get(invoice["billing_reason"])
    )
    return account.store.add(
        "invoice_payment",
        made(
            account,
            "invoice_payment",
            new_id("inpay_"),
            amount_paid=None,
            amount_requested=invoice["amount_due"],
            currency=invoice["currency"],
            invoice=invoice["id"],
            is_default=True,
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
            status="open",
            status_transitions={"canceled_at": None, "paid_at": None},
        ),
    )


def _settled(account: Account, identity: str, amount: int) -> None:
    payment = account.store.edit("invoice_payment", identity)
    payment |= {"status": "paid", "amount_paid": amount}
    payment["status_transitions"]["paid_at"] = account.now()
    happened(account, "invoice_payment.paid", payment)


def _plan_next(account: Account, invoice: Object) -> None:
    """When it is tried again: never for the invoice that a subscription begins with."""
    tried = invoice["attempt_count"]
    again = invoice["billing_reason"] != "subscription_create" and tried <= len(RETRY_DAYS)
    invoice["next_payment_attempt"] = account.now() + RETRY_DAYS[tried - 1] * DAY_SECONDS if again else None
    invoice["auto_advance"] = again


def recover(account: Account, identity: str) -> None:
    """A subscription whose last invoice is settled is active again."""
    subscription = account.store.get("subscription", identity)
    latest = account.store.find("invoice", subscription["latest_invoice"] or "")
    if subscription["status"] in ("past_due", "incomplete") and latest and latest["status"] != "open":
        with changing(account, "subscription", identity, "customer.subscription.updated") as changed:
            changed["status"] = "active"


def overdue(account: Account, identity: str) -> None:
    with changing(account, "subscription", identity, "customer.subscription.updated") as changed:
        if changed["status"] in ("active", "trialing"):
            changed["status"] = "past_due"
