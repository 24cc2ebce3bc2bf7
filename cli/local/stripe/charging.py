"""Taking money, which nobody loses: payment intents and their charges."""

from cli.local.stripe import cards
from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.store import Object, new_id
from cli.local.stripe.views import render


def intend(
    account: Account,
    amount: int,
    customer: str | None,
    *,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    keep_method: str | None = None,
) -> Object:
    """A new payment intent; `keep_method` is for which later use its way of paying is kept."""
    identity = new_id("pi_")
    intent = account.store.add(
        "payment_intent",
        made(
            account,
            "payment_intent",
            identity,
            amount=amount,
            amount_capturable=0,
            amount_received=0,
            canceled_at=None,
            cancellation_reason=None,
            capture_method="automatic",
            client_secret=f"{identity}_secret_pretend",
            confirmation_method="automatic",
            currency=CURRENCY,
            customer=customer,
            customer_account=None,
            description=description,
            last_payment_error=None,
            latest_charge=None,
            metadata=dict(metadata or {}),
            next_action=None,
            payment_method=None,
            payment_method_types=["card"],
            receipt_email=None,
            setup_future_usage=keep_method,
            status="requires_payment_method",
        ),
    )
    happened(account, "payment_intent.created", intent)
    return intent


def attempt(account: Account, intent_id: str, method: Object | None, *, buyer_is_there: bool) -> str | None:
    """Charges a payment intent. Gives None when it was paid, else Stripe's decline code.

    A card that asks its owner is paid with while the buyer is there to answer.
    """
    intent = account.store.edit("payment_intent", intent_id)
    if method is None:
        return "missing_payment_method"
    of = cards.card(method)
    decline = of.decline or ("authentication_required" if of.asks and not buyer_is_there else None)
    if decline is None and _let_fail(account, intent["customer"]):
        decline = "generic_decline"
    charge = _charge(account, intent, method, decline)
    intent["latest_charge"] = charge["id"]
    if decline is None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "payment_method": method["id"]}
        intent["last_payment_error"] = None
        happened(account, "charge.succeeded", charge)
        happened(account, "payment_intent.succeeded", intent)
        return None
    error = cards.declined(decline, charge=charge["id"], payment_method=render(account, method)).body["error"]
    intent |= {"status": "requires_payment_method", "last_payment_error": error}
    happened(account, "charge.failed", charge)
    happened(account, "payment_intent.payment_failed", intent)
    return decline


def _let_fail(account: Account, customer: str | None) -> bool:
    """Whether somebody wanted this customer's next payment to fail."""
    owner = account.store.find("customer", customer) if customer else None
    if owner is None or not owner["_failures"]:
        return False
    with changing(account, "customer", owner["id"], None) as changed:
        changed["_failures"] -= 1
    return True


def _charge(account: Account, intent: Object, method: Object, decline: str | None) -> Object:
    paid = decline is None
    return account.store.add(
        "charge",
        made(
            account,
            "charge",
            new_id("ch_"),
            amount=intent["amount"],
            amount_captured=intent["amount"] if paid else 0,
            amount_refunded=0,
            balance_transaction=new_id("txn_") if paid else None,
            billing_details=method["billing_details"],
            captured=paid,
            currency=intent["currency"],
            customer=intent["customer"],
            description=intent["description"],
            disputed=False,
            failure_code=None if paid else "card_declined",
            failure_message=None if decline is None else cards.MESSAGES[decline],
            fraud_details={},
            metadata=dict(intent["metadata"]),
            outcome={
                "type": "authorized" if paid else "issuer_declined",
                "network_status": "approved_by_network" if paid else "declined_by_network",
                "reason": decline,
                "seller_message": "Payment complete." if paid else "The bank did not return any further details.",
            },
            paid=paid,
            payment_intent=intent["id"],
            payment_method=method["id"],
            payment_method_details={"type": "card", "card": {**method["card"], "network": method["card"]["brand"]}},
            receipt_email=None,
            receipt_number=None,
            refunded=False,
            status="succeeded" if paid else "failed",
        ),
    )


def card_error(account: Account, intent_id: str) -> Object:
    """The error of a decline, with the payment intent that it is about."""
    intent = account.store.get("payment_intent", intent_id)
    return {"charge": intent["latest_charge"], "payment_intent": render(account, intent)}
