"""Ways of paying: cards that do what their name says."""

from dataclasses import dataclass

from cli.local.stripe.account import Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.refusal import Refusal, missing
from cli.local.stripe.store import Object, new_id

EXPIRY_YEAR = 2034


@dataclass(frozen=True)
class Card:
    """What a test card does. `decline` is Stripe's decline code; `attaches` whether a customer can have it."""

    brand: str
    last4: str
    decline: str | None = None
    asks: bool = False
    attaches: bool = True


CARDS = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_chargeCustomerFail": Card("visa", "0341", decline="generic_decline"),
    "pm_card_authenticationRequired": Card("visa", "3184", asks=True),
    "pm_card_chargeDeclined": Card("visa", "0002", decline="generic_decline", attaches=False),
    "pm_card_visa_chargeDeclined": Card("visa", "0002", decline="generic_decline", attaches=False),
    "pm_card_chargeDeclinedInsufficientFunds": Card("visa", "9995", decline="insufficient_funds", attaches=False),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card("visa", "9995", decline="insufficient_funds", attaches=False),
}
GOOD, DECLINES, ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"

MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def known(account: Account, name: str) -> Object:
    """A way of paying by its id, or a new one for the name of a test card."""
    if name in CARDS:
        return _create(account, name)
    return account.store.get("payment_method", name, "payment_method")


def card(method: Object) -> Card:
    """What a way of paying does."""
    return CARDS[method["_card"]]


def _create(account: Account, name: str) -> Object:
    of = CARDS[name]
    return account.store.add(
        "payment_method",
        made(
            account,
            "payment_method",
            new_id("pm_"),
            allow_redisplay="unspecified",
            billing_details={"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
            card={
                "brand": of.brand,
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "country": "US",
                "display_brand": of.brand,
                "exp_month": 12,
                "exp_year": EXPIRY_YEAR,
                "fingerprint": f"pretend{of.last4}",
                "funding": "credit",
                "last4": of.last4,
                "networks": {"available": [of.brand], "preferred": None},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            customer=None,
            customer_account=None,
            metadata={},
            type="card",
            _card=name,
        ),
    )


def owner(account: Account, customer: str) -> Object:
    """A customer who is to pay or to have something. Raises Refusal (404) for one that was deleted, too."""
    found = account.store.get("customer", customer, "customer")
    if found["_deleted"]:
        raise missing("customer", customer, "customer")
    return found


def attach(account: Account, name: str, customer: str) -> Object:
    """Gives a customer a way of paying. Raises Refusal (402) for a card that its bank refuses at once."""
    owner(account, customer)
    method = known(account, name)
    of = card(method)
    if not of.attaches:
        raise declined(of.decline or "generic_decline")
    if method["customer"] not in (None, customer):
        raise Refusal("The payment method you provided has already been attached to a customer.")
    with changing(account, "payment_method", method["id"], None) as changed:
        changed["customer"] = customer
    happened(account, "payment_method.attached", method)
    return method


def usual(account: Account, customer: str, subscription: Object | None = None) -> Object | None:
    """What a customer's next invoice is paid with; None when there is nothing."""
    owner = account.store.get("customer", customer)
    named = (subscription or {}).get("default_payment_method") or owner["invoice_settings"]["default_payment_method"]
    return account.store.find("payment_method", named) if named else None


def belongs(account: Account, name: str, customer: str | None) -> Object:
    """A way of paying that may be used for this customer."""
    method = known(account, name)
    if method["customer"] not in (None, customer):
        raise missing("PaymentMethod", name, "payment_method")
    return method


def had(account: Account, name: str, customer: str) -> Object:
    """A way of paying that the customer has, or has from now on where a test card was named."""
    method = belongs(account, name, customer)
    return method if method["customer"] else attach(account, method["id"], customer)


def declined(decline: str, **details: object) -> Refusal:
    """402: the bank says no."""
    asked = decline == "authentication_required"
    return Refusal(
        MESSAGES[decline],
        status=402,
        kind="card_error",
        code="authentication_required" if asked else "card_declined",
        details={"decline_code": decline, **details},
    )
