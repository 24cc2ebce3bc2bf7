"""Checkout: the page where somebody pays, and what comes of it."""

from typing import Any

from cli.local.stripe import cards, charging, customers, discounts, subscribing
from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.params import Params
from cli.local.stripe.periods import DAY_SECONDS
from cli.local.stripe.refusal import Refusal, invalid, missing
from cli.local.stripe.store import Object, new_id

NAMES = (
    "adaptive_pricing", "allow_promotion_codes", "automatic_tax", "billing_address_collection", "cancel_url",
    "client_reference_id", "consent_collection", "currency", "custom_text", "customer", "customer_creation",
    "customer_email", "customer_update", "discounts", "expand", "expires_at", "invoice_creation", "line_items",
    "locale", "metadata", "mode", "payment_intent_data", "payment_method_collection", "payment_method_types",
    "saved_payment_method_options", "submit_type", "subscription_data", "success_url", "tax_id_collection",
)  # fmt: skip
LINES_MAX = 20
LIFE_SECONDS_MIN, LIFE_SECONDS_MAX = 1800, DAY_SECONDS


def create(account: Account, params: Params) -> Object:
    params.one_of("allow_promotion_codes", "discounts")
    params.one_of("customer", "customer_email")
    mode = params.choice("mode", "payment", "subscription") or params.needed("mode")
    success = params.url("success_url") or params.needed("success_url")
    if (customer := params.text("customer")) is not None:
        cards.owner(account, customer)
    lines = _lines(account, params, mode)
    bought = {"payment": "payment_intent_data", "subscription": "subscription_data"}
    for other, name in bought.items():
        if other != mode and name in params:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    data = _data(account, params.within(bought[mode]), mode)
    picked = discounts.chosen(account, params)
    subtotal = 0 if data["trial_end"] else sum(line["amount_subtotal"] for line in lines)
    discounts.check(account, picked, customer, subtotal)
    off = discounts.off(account, picked, subtotal)
    session = made(
        account,
        "checkout.session",
        new_id("cs_test_", 58),
        allow_promotion_codes=params.flag("allow_promotion_codes"),
        amount_subtotal=subtotal,
        amount_total=subtotal - off,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        cancel_url=params.url("cancel_url"),
        client_reference_id=params.text("client_reference_id"),
        client_secret=None,
        currency=CURRENCY,
        customer=customer,
        customer_account=None,
        customer_creation=None if customer else params.choice("customer_creation", "always", "if_required"),
        customer_details=None,
        customer_email=params.text("customer_email"),
        discounts=[{"coupon": one["coupon"], "promotion_code": one["promotion_code"]} for one in picked],
        expires_at=_expiry(account, params),
        invoice=None,
        locale=params.text("locale"),
        metadata=params.metadata(),
        mode=mode,
        payment_intent=None,
        payment_link=None,
        payment_method_collection=params.choice("payment_method_collection", "always", "if_required") or "always",
        payment_method_types=["card"],
        payment_status="unpaid",
        setup_intent=None,
        shipping_options=[],
        status="open",
        submit_type=None,
        subscription=None,
        success_url=success,
        total_details={"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        _lines=lines,
        _data=data,
    )
    return account.store.add("checkout.session", session)


def _expiry(account: Account, params: Params) -> int:
    now = account.now()
    # A little less than Stripe's least: the request was under way.
    return (
        params.whole("expires_at", now + LIFE_SECONDS_MIN - 60, now + LIFE_SECONDS_MAX + 60) or now + LIFE_SECONDS_MAX
    )


def _lines(account: Account, params: Params, mode: str) -> list[Object]:
    wanted = params.each("line_items")
    if not 1 <= len(wanted) <= LINES_MAX:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    lines = []
    for one in wanted:
        one.only("adjustable_quantity", "price", "quantity")
        price = account.store.get("price", one.needed("price"), one.path("price"))
        quantity = one.whole("quantity", 1, 999_999) or int(one.needed("quantity"))
        amount = price["unit_amount"] * quantity
        lines.append(
            {
                "id": new_id("li_"),
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": price["currency"],
                "description": account.store.get("product", price["product"])["name"],
                "price": price,
                "quantity": quantity,
            }
        )
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    if mode == "payment" and recurring:
        raise invalid("You specified `payment` mode but passed a recurring price.", "mode")
    if mode == "subscription" and len(recurring) < len(lines):
        raise invalid("You must provide only recurring prices in `subscription` mode.", "mode")
    return lines


def _data(account: Account, given: Params, mode: str) -> dict[str, Any]:
    """What the payment intent or the subscription will have."""
    if mode == "payment":
        given.only("description", "metadata", "receipt_email", "setup_future_usage", "statement_descriptor_suffix")
        keep = given.choice("setup_future_usage", "off_session", "on_session")
        return {"metadata": given.metadata(), "keep": keep, "trial_end": None, "description": given.text("description")}
    given.only("billing_cycle_anchor", "billing_mode", "description", "metadata", "proration_behavior", "trial_end",
               "trial_period_days", "trial_settings")  # fmt: skip
    given.one_of("trial_end", "trial_period_days")
    days = given.whole("trial_period_days", 1, 730)
    return {"metadata": given.metadata(), "trial_days": days, "trial_end": days or given.whole("trial_end")}


def _opened(account: Account, identity: str) -> Object:
    """A session that waits for its buyer. Raises Refusal when it is paid or expired."""
    session = account.store.get("checkout.session", identity)
    if session["status"] != "open":
        raise Refusal(f"This session is {session['status']}.", code="payment_intent_unexpected_state")
    return session


def pay(account: Account, identity: str, card: str = cards.GOOD) -> str | None:
    """What the buyer's «Pay» does.

    Gives None when it is paid, else Stripe's decline code: the session stays open then.
    """
    session = _opened(account, identity)
    if card not in cards.CARDS:
        raise missing("PaymentMethod", card, "card")
    of = cards.CARDS[card]
    if of.decline is not None and (session["amount_total"] or not of.attaches):
        _decline(account, session, card)
        return of.decline
    customer = _customer(account, session)
    method = cards.attach(account, card, customer["id"])["id"]
    changed = account.store.edit("checkout.session", identity)
    changed["customer"] = customer["id"]
    declined = (_subscribe if session["mode"] == "subscription" else _charge)(account, changed, method)
    if declined is not None:
        return declined
    changed |= {
        "status": "complete",
        "payment_status": "paid" if session["amount_total"] else "no_payment_required",
        "customer_details": {"email": customer["email"], "name": customer["name"], "address": None, "phone": None},
    }
    happened(account, "checkout.session.completed", changed)
    return None


def _customer(account: Account, session: Object) -> Object:
    if session["customer"] is not None:
        return cards.owner(account, session["customer"])
    return customers.add(account, session["customer_email"] or "buyer@example.com", {}, "A Buyer")


def _decline(account: Account, session: Object, card: str) -> None:
    """A payment that fails leaves a trace; a card that is only kept for later leaves none."""
    if not session["amount_total"]:
        return
    intent = charging.intend(
        account, session["amount_total"], session["customer"], metadata=session["_data"]["metadata"]
    )
    charging.attempt(account, intent["id"], cards.known(account, card), buyer_is_there=True)


def _charge(account: Account, session: Object, method: str) -> str | None:
    """Takes the money for packs."""
    data = session["_data"]
    picked, customer = session["discounts"], session["customer"]
    session["payment_status"] = "unpaid"
    if session["amount_total"]:
        intent = charging.intend(
            account,
            session["amount_total"],
            customer,
            description=data["description"],
            metadata=data["metadata"],
            keep_method=data["keep"],
        )
        declined = charging.attempt(
            account, intent["id"], account.store.get("payment_method", method), buyer_is_there=True
        )
        if declined is not None:
            return declined
        session["payment_intent"] = intent["id"]
    discounts.redeem(account, picked, customer, None, session["id"])
    return None


def _subscribe(account: Account, session: Object, method: str) -> str | None:
    data = session["_data"]
    days = data["trial_days"]
    trial_end = account.now() + days * DAY_SECONDS if days else data["trial_end"]
    prices = [(line["price"]["id"], line["quantity"]) for line in session["_lines"]]
    begun = subscribing.begin(
        account, session["customer"], prices, method, metadata=data["metadata"], trial_end=trial_end
    )
    redeemed = discounts.redeem(account, session["discounts"], session["customer"], begun["id"], session["id"])
    begun["discounts"] = redeemed
    declined = subscribing.invoice_period(account, begun["id"], "subscription_create", buyer_is_there=True)
    if declined is not None:
        subscribing.end(account, begun["id"], "payment_failed")
        return declined
    session |= {"subscription": begun["id"], "invoice": begun["latest_invoice"]}
    return None


def leads_to(session: Object) -> str:
    """Where who has paid goes on."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def use_code(account: Account, identity: str, text: str) -> bool:
    """Puts a promotion code that the buyer typed on an open session; False when there is no such code."""
    session = account.store.edit("checkout.session", _opened(account, identity)["id"])
    codes = [code for code in account.store.all("promotion_code") if code["code"].lower() == text.strip().lower()]
    found = next((code for code in codes if discounts.usable(account, code)), None)
    if found is None or not session["allow_promotion_codes"]:
        return False
    picked = [{"coupon": found["promotion"]["coupon"], "promotion_code": found["id"]}]
    discounts.check(account, picked, session["customer"], session["amount_subtotal"])
    off = discounts.off(account, picked, session["amount_subtotal"])
    session |= {"discounts": picked, "amount_total": session["amount_subtotal"] - off}
    session["total_details"] = {**session["total_details"], "amount_discount": off}
    return True


def expire(account: Account, identity: str) -> Object:
    if account.store.get("checkout.session", identity)["status"] != "open":
        raise Refusal('Only Checkout Sessions with a status in ["open"] can be expired.')
    with changing(account, "checkout.session", identity, None) as session:
        session["status"] = "expired"
    happened(account, "checkout.session.expired", session)
    return session
