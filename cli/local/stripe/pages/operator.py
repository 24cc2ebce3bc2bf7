"""The first page: everything that happened here, and the buttons of a bank, a buyer and a clock."""

from cli.local.stripe.acting import Pretend
from cli.local.stripe.pages.html import Html, badge, button, day, inside, minute, money, page, table, tag
from cli.local.stripe.periods import DAY_SECONDS
from cli.local.stripe.store import Object
from cli.local.stripe.subscribing import ENDED

ROWS_MAX = 50


def show(fake: Pretend) -> str:
    return page(
        "Pretend Stripe",
        tag("h1", "Pretend Stripe"),
        _clock(fake),
        tag("section", tag("h2", "Waiting to be paid"), _sessions(fake)),
        tag("section", tag("h2", "Subscriptions"), _subscriptions(fake)),
        tag("section", tag("h2", "Payments"), _payments(fake)),
        tag("section", tag("h2", "Disputes"), _disputes(fake)),
        tag("section", tag("h2", "Promotion codes"), _codes(fake)),
        tag("section", tag("h2", "Webhooks"), _faults(fake), _webhooks(fake)),
        wide=True,
    )


def _clock(fake: Pretend) -> Html:
    steps = {"An hour": 3600, "A day": DAY_SECONDS, "A week": 7 * DAY_SECONDS, "A month": 30 * DAY_SECONDS}
    moves = [button("/_test/clock", f"{name} later", advance_seconds=str(by)) for name, by in steps.items()]
    return tag(
        "section",
        tag("h2", "Time"),
        tag("p", f"Here it is {minute(fake.account.now())}. It moves forward only, and for everybody."),
        tag("div", *moves, class_="buttons"),
    )


def _who(fake: Pretend, customer: str | None) -> str:
    """Whom a customer is at the other end, as far as it says."""
    found = fake.account.store.find("customer", customer or "")
    if found is None:
        return ""
    return str(found["metadata"].get("user_id") or found["email"] or found["id"])


def _sessions(fake: Pretend) -> Html:
    rows: list[list[str]] = [
        [
            ", ".join(line["description"] for line in one["_lines"]),
            money(one["amount_total"]),
            str(one["client_reference_id"] or _who(fake, one["customer"])),
            minute(one["expires_at"]),
            tag("a", "Open the page", href=f"/pay/{one['id']}"),
        ]
        for one in fake.account.store.all("checkout.session")
        if one["status"] == "open"
    ]
    return table(["what", "due", "for", "expires", ""], rows[:ROWS_MAX], "Nobody is about to pay.")


def _subscriptions(fake: Pretend) -> Html:
    rows = [_subscription(fake, one) for one in fake.account.store.all("subscription")[:ROWS_MAX]]
    return table(["whose", "plan", "state", "period ends", ""], rows, "Nobody has subscribed yet.")


def _subscription(fake: Pretend, one: Object) -> list[str]:
    path = f"/_test/subscriptions/{one['id']}"
    over = one["status"] in ENDED
    acts = [
        button(f"{path}/renew", "Next renewal now"),
        button(f"{path}/fail", "Let the next payment fail"),
        button(f"{path}/cancel", "End it", "danger"),
    ]
    failing = fake.account.store.get("customer", one["customer"])["_failures"]
    notes = [
        " paused" if one["pause_collection"] else "",
        f" ends {day(one['cancel_at'])}" if one["cancel_at"] and not over else "",
        " changes at the end of the period" if one["schedule"] else "",
        f" next {failing} will fail" if failing and not over else "",
    ]
    return [
        _who(fake, one["customer"]),
        ", ".join(item["price"] for item in one["items"]),
        inside(badge(one["status"]), tag("span", *notes, class_="dim")),
        day(one["ended_at"] or one["items"][0]["current_period_end"]),
        inside() if over else tag("div", *acts, class_="buttons"),
    ]


def _payments(fake: Pretend) -> Html:
    rows = [_payment(fake, one) for one in fake.account.store.all("charge")[:ROWS_MAX]]
    return table(["whose", "when", "amount", "state", ""], rows, "Nobody has paid yet.")


def _payment(fake: Pretend, one: Object) -> list[str]:
    path = f"/_test/payments/{one['id']}"
    back = f" {money(one['amount_refunded'])} given back" if one["amount_refunded"] else ""
    state = "disputed" if one["disputed"] else one["status"]
    acts = []
    if one["paid"] and not one["refunded"] and not one["disputed"]:
        acts = [
            button(f"{path}/refund", "Refund"),
            button(f"{path}/refund", "Refund half", amount=str(max(1, one["amount"] // 2))),
            button(f"{path}/dispute", "Dispute", "danger"),
        ]
    return [
        _who(fake, one["customer"]),
        minute(one["created"]),
        money(one["amount"]),
        inside(badge(state), tag("span", back, class_="dim")),
        tag("div", *acts, class_="buttons"),
    ]


def _disputes(fake: Pretend) -> Html:
    rows: list[list[str]] = [
        [
            minute(one["created"]),
            money(one["amount"]),
            badge(one["status"]),
            inside()
            if one["status"] in ("won", "lost")
            else tag(
                "div",
                button(f"/_test/disputes/{one['id']}/close", "We win", won="true"),
                button(f"/_test/disputes/{one['id']}/close", "We lose", "danger", won="false"),
                class_="buttons",
            ),
        ]
        for one in fake.account.store.all("dispute")[:ROWS_MAX]
    ]
    return table(["when", "amount", "state", ""], rows, "None.")


def _codes(fake: Pretend) -> Html:
    rows: list[list[str]] = []
    for one in fake.account.store.all("promotion_code")[:ROWS_MAX]:
        coupon = fake.account.store.get("coupon", one["promotion"]["coupon"])
        off = f"{coupon['percent_off']:g} %" if coupon["percent_off"] else money(coupon["amount_off"])
        rows.append([tag("code", one["code"]), off, coupon["duration"], f"used {one['times_redeemed']} times"])
    return table(["code", "off", "for", ""], rows, "None.")


def _faults(fake: Pretend) -> Html:
    faults = fake.deliveries.faults
    buttons = [
        _switch("duplicate", "Send each twice", faults.duplicate),
        _switch("shuffle", "Send in any order", faults.shuffle),
        _switch("thin", "Send thin ones", faults.thin),
    ]
    return tag("div", *buttons, class_="buttons")


def _switch(name: str, text: str, on: bool) -> Html:
    word = "on" if on else "off"
    return button("/_test/faults", f"{text}: {word}", "on" if on else "plain", **{name: "false" if on else "true"})


def _webhooks(fake: Pretend) -> Html:
    rows: list[list[str]] = [
        [
            minute(one["time"]),
            tag("code", one["type"]),
            str(one["number"] or ""),
            badge("taken" if one["status"] and one["status"] < 300 else "failed") if one["number"] else "",
            str(one["status"] or one["error"]),
            button(f"/_test/events/{one['event']}/send", "Send again"),
        ]
        for one in fake.webhooks[:ROWS_MAX]
    ]
    return table(["when", "event", "try", "", "answer", ""], rows, "Nothing was sent yet.")
