"""The pages of an invoice and of a receipt."""

from cli.local.stripe.account import Account
from cli.local.stripe.pages.html import Html, badge, button, day, inside, minute, money, page, tag
from cli.local.stripe.store import Object


def invoice(account: Account, one: Object) -> str:
    """An invoice: what was charged for, what was taken off, whether it is paid."""
    customer = account.store.get("customer", one["customer"])
    title = f"Invoice {one['number']}"
    rows = [_row(line["description"], money(line["amount"]), _period(line)) for line in one["lines"]]
    if off := sum(each["amount"] for each in one["total_discount_amounts"]):
        rows.append(_row("Promotion code", money(-off)))
    rows.append(_row("Total", money(one["total"]), look="row total"))
    if (used := one["starting_balance"]) and one["total"] > 0:
        rows.append(_row("From your balance", money(used)))
    rows.append(_row("Paid" if one["status"] == "paid" else "Due", money(one["amount_due"]), look="row total"))
    pay = (
        tag("section", button(f"/invoice/{one['id']}/pay", "Pay now", "main")) if one["status"] == "open" else inside()
    )
    head = tag(
        "section", badge(one["status"]), tag("p", f"{day(one['created'])} · {customer['email'] or customer['id']}")
    )
    return page(title, tag("h1", title), head, tag("section", *rows), pay)


def _row(name: str, value: str, small: str = "", look: str = "row") -> Html:
    text = tag("span", name, tag("div", small, class_="dim")) if small else tag("span", name)
    return tag("div", text, tag("span", value), class_=look)


def _period(line: Object) -> str:
    return f"{day(line['period']['start'])} to {day(line['period']['end'])}"


def receipt(one: Object) -> str:
    """A receipt of a charge."""
    card = one["payment_method_details"]["card"]
    rows = [
        _row("Paid", money(one["amount"]), minute(one["created"]), "row total"),
        _row("With", f"{card['brand']} ···· {card['last4']}"),
    ]
    if one["amount_refunded"]:
        rows.append(_row("Given back", money(-one["amount_refunded"])))
    return page("Receipt", tag("h1", "Receipt"), tag("section", *rows))
