"""The checkout page."""

from cli.local.stripe.account import Account
from cli.local.stripe.checkout import leads_to
from cli.local.stripe.pages.html import Html, badge, button, day, inside, money, page, tag, void
from cli.local.stripe.periods import DAY_SECONDS
from cli.local.stripe.store import Object

PROBLEMS = {
    "generic_decline": "Your card was declined. Nothing was bought; try another one.",
    "insufficient_funds": "Your card has insufficient funds. Nothing was bought; try another one.",
    "code": "There is no such promotion code, or it is used up.",
}


def show(account: Account, session: Object, problem: str = "") -> str:
    """What is bought, what it costs, and the buttons to pay with."""
    if session["status"] != "open":
        return _over(session)
    what = ", ".join(line["description"] for line in session["_lines"])
    summary = tag(
        "section", tag("p", what), tag("p", money(session["amount_total"]), class_="price"), *_terms(account, session)
    )
    told = [tag("p", PROBLEMS.get(problem, "The payment did not go through."), class_="problem")] if problem else []
    return page(
        f"Pay for {what}", tag("h1", "Checkout"), *told, summary, tag("section", *_lines(session)), _buttons(session)
    )


def _over(session: Object) -> str:
    paid = session["status"] == "complete"
    text = "It is paid. Thank you!" if paid else "This page has expired. Nothing was paid."
    there = leads_to(session) if paid else session["cancel_url"]
    back = tag("a", "Go on", href=there, class_="button") if there else inside()
    return page("Checkout", tag("h1", "Checkout"), tag("section", badge(session["status"]), tag("p", text), back))


def _terms(account: Account, session: Object) -> list[Html]:
    """How often, and from when on."""
    recurring = session["_lines"][0]["price"]["recurring"]
    if recurring is None:
        return [tag("p", "Paid once.", class_="dim")]
    price = f"{money(sum(line['amount_subtotal'] for line in session['_lines']))} every {recurring['interval']}"
    data = session["_data"]
    if not data["trial_end"]:
        return [tag("p", f"{price}, until it is cancelled.", class_="dim")]
    end = account.now() + data["trial_days"] * DAY_SECONDS if data["trial_days"] else data["trial_end"]
    return [tag("p", f"Free until {day(end)}, then {price}, until it is cancelled.", class_="dim")]


def _lines(session: Object) -> list[Html]:
    rows = [
        _row(f"{line['description']} x {line['quantity']}", money(line["amount_subtotal"]))
        for line in session["_lines"]
    ]
    if session["_data"]["trial_end"]:
        rows.append(_row("Trial", "nothing to pay today"))
    if off := session["total_details"]["amount_discount"]:
        rows.append(_row("Promotion code", money(-off)))
    rows.append(_row("Due today", money(session["amount_total"]), "row total"))
    if session["allow_promotion_codes"] and not session["discounts"]:
        code = void("input", type="text", name="code", placeholder="Promotion code", aria_label="Promotion code")
        use = tag("button", "Use it", type="submit")
        rows.append(tag("form", code, use, method="post", action=f"/pay/{session['id']}/code", class_="code"))
    return rows


def _row(name: str, value: str, look: str = "row") -> Html:
    return tag("div", tag("span", name), tag("span", value), class_=look)


def _buttons(session: Object) -> Html:
    path = f"/pay/{session['id']}"
    back = session["cancel_url"]
    return tag(
        "section",
        tag(
            "div",
            button(path, f"Pay {money(session['amount_total'])}", "main", card="pm_card_visa"),
            button(path, "Pay with a card that is declined", card="pm_card_chargeDeclined"),
            tag("a", "Go back", href=back, class_="button") if back else inside(),
            class_="buttons tall",
        ),
    )
