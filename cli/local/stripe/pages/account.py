"""The customer portal's page."""

from cli.local.stripe.account import Account
from cli.local.stripe.pages.html import Html, badge, button, day, inside, money, page, table, tag
from cli.local.stripe.store import Object
from cli.local.stripe.subscribing import ENDED


def show(account: Account, session: Object) -> str:
    """A customer's plan, card and invoices."""
    customer = account.store.get("customer", session["customer"])
    owned = [one for one in account.store.all("subscription") if one["customer"] == customer["id"]]
    plans = [_plan(account, session, one) for one in owned if one["status"] not in ENDED]
    back = tag("a", "Go back", href=session["return_url"], class_="button") if session["return_url"] else inside()
    none = tag("section", tag("h2", "Plan"), tag("p", "No plan at present.", class_="dim"))
    return page(
        "Your plan",
        tag("h1", "Your plan"),
        *(plans or [none]),
        _card(account, session, customer, owned),
        _invoices(account, customer),
        back,
    )


def _plan(account: Account, session: Object, one: Object) -> Html:
    price = account.store.get("price", one["items"][0]["price"])
    name = account.store.get("product", price["product"])["name"]
    end = day(one["items"][0]["current_period_end"])
    path = f"/portal/{session['id']}/{one['id']}"
    if one["cancel_at"]:
        text, act = f"Ends on {day(one['cancel_at'])}.", button(f"{path}/resume", "Keep the plan", "main")
    else:
        text, act = f"Renews on {end}.", button(f"{path}/cancel", "Cancel at the end of the period", "danger")
    cost = f"{money(price['unit_amount'])} every {price['recurring']['interval']}"
    paused = tag("p", "Paused: nothing is charged.") if one["pause_collection"] else inside()
    return tag("section", tag("h2", name, " ", badge(one["status"])), tag("p", cost), paused, tag("p", text), act)


def _card(account: Account, session: Object, customer: Object, owned: list[Object]) -> Html:
    named = [one["default_payment_method"] for one in owned] + [customer["invoice_settings"]["default_payment_method"]]
    method = next((found for name in named if name and (found := account.store.find("payment_method", name))), None)
    text = f"{method['card']['brand']} ···· {method['card']['last4']}" if method else "No card."
    path = f"/portal/{session['id']}/card"
    cards = tag(
        "div",
        button(path, "Change to a card that works", card="pm_card_visa"),
        button(path, "Change to a card that will be declined", card="pm_card_chargeCustomerFail"),
        class_="buttons",
    )
    return tag("section", tag("h2", "Card"), tag("p", text), cards)


def _invoices(account: Account, customer: Object) -> Html:
    rows: list[list[str]] = [
        [
            tag("a", one["number"], href=f"/invoice/{one['id']}"),
            day(one["created"]),
            money(one["total"]),
            badge(one["status"]),
        ]
        for one in account.store.all("invoice")
        if one["customer"] == customer["id"] and one["number"]
    ]
    return tag("section", tag("h2", "Invoices"), table(["number", "date", "total", ""], rows, "None yet."))
