"""Payment intents that are made through the API: a charge without a page."""

from cli.local.stripe import cards, charging
from cli.local.stripe.account import CURRENCY, Account
from cli.local.stripe.params import Params
from cli.local.stripe.refusal import Refusal, invalid
from cli.local.stripe.store import Object

NAMES = (
    "amount", "automatic_payment_methods", "confirm", "currency", "customer", "description", "error_on_requires_action",
    "expand", "metadata", "off_session", "payment_method", "payment_method_types", "return_url", "setup_future_usage",
    "statement_descriptor_suffix",
)  # fmt: skip
AMOUNT_MIN, AMOUNT_MAX = 50, 99_999_999


def create(account: Account, params: Params) -> Object:
    amount = params.whole("amount") or int(params.needed("amount"))
    if amount < AMOUNT_MIN:
        raise invalid("Amount must be at least $0.50 usd", "amount", "amount_too_small")
    if amount > AMOUNT_MAX:
        raise invalid("Amount must be no more than $999,999.99", "amount", "amount_too_large")
    if params.needed("currency").lower() != CURRENCY:
        raise invalid(f"Invalid currency: {params.text('currency')}", "currency")
    customer = params.text("customer")
    if customer is not None:
        cards.owner(account, customer)
    intent = charging.intend(
        account,
        amount,
        customer,
        description=params.text("description"),
        metadata=params.metadata(),
        keep_method=params.choice("setup_future_usage", "off_session", "on_session"),
    )
    name = params.text("payment_method")
    method = cards.belongs(account, name, customer) if name is not None else None
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if params.flag("confirm"):
        _confirm(account, intent, method, off_session=bool(params.flag("off_session")))
    elif params.flag("off_session"):
        raise invalid("off_session is for payment intents that are confirmed.", "off_session")
    return intent


def _confirm(account: Account, intent: Object, method: Object | None, *, off_session: bool) -> None:
    if method is None:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if cards.card(method).asks and not off_session:
        # The buyer would be asked by the bank's own page now.
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
        return
    decline = charging.attempt(account, intent["id"], method, buyer_is_there=not off_session)
    if decline is not None:
        refusal = cards.declined(decline, **charging.card_error(account, intent["id"]))
        # The intent and its failed charge stay, as they do at Stripe.
        refusal.keeps = True
        raise refusal
