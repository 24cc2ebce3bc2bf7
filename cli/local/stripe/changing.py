"""Changes of subscriptions: prices with proration, pauses, cancellations, trials."""

from dataclasses import dataclass

from cli.local.stripe import cards, collecting, invoicing, lines
from cli.local.stripe.account import Account
from cli.local.stripe.charging import card_error
from cli.local.stripe.events import changing
from cli.local.stripe.params import Params
from cli.local.stripe.periods import period_end
from cli.local.stripe.refusal import Refusal, invalid
from cli.local.stripe.store import Object
from cli.local.stripe.subscribing import ENDED, add_item, settle

NAMES = (
    "automatic_tax", "billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "cancellation_details",
    "collection_method", "default_payment_method", "description", "expand", "items", "metadata", "off_session",
    "pause_collection", "payment_behavior", "payment_settings", "proration_behavior", "proration_date", "trial_end",
    "trial_settings",
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """How a change of prices is charged for."""

    proration: str
    behaviour: str
    moment: int
    anchor_now: bool


def terms(account: Account, params: Params, subscription: Object) -> Terms:
    anchor = params.within("billing_cycle_anchor").only("type").choice("type", "now", "unchanged")
    start, end = (subscription["items"][0][name] for name in ("current_period_start", "current_period_end"))
    return Terms(
        params.choice("proration_behavior", "always_invoice", "create_prorations", "none") or "create_prorations",
        params.choice("payment_behavior", "allow_incomplete", "error_if_incomplete", "default_incomplete")
        or "allow_incomplete",
        params.whole("proration_date", start, end) or account.now(),
        anchor == "now",
    )


def update(account: Account, identity: str, params: Params) -> Object:
    """What `POST /v1/subscriptions/{id}` does."""
    subscription = account.store.get("subscription", identity)
    if subscription["status"] in ENDED and set(params.values) - {"metadata", "cancellation_details", "expand"}:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    with changing(account, "subscription", identity, "customer.subscription.updated") as changed:
        changed["metadata"] = params.metadata(changed["metadata"])
        if (method := params.text("default_payment_method")) is not None:
            changed["default_payment_method"] = cards.had(account, method, changed["customer"])["id"]
        if "description" in params:
            changed["description"] = params.text("description")
        _pause(account, changed, params)
        _cancel(account, changed, params)
        how = terms(account, params, changed)
        invoice = change_prices(account, changed, params, how)
        if invoice is not None:
            _pay(account, changed, invoice, how)
    return subscription


def _pay(account: Account, subscription: Object, invoice: Object, how: Terms) -> None:
    decline = settle(account, subscription, invoice["id"])
    if decline is None:
        return
    if how.behaviour == "error_if_incomplete":
        payment = collecting.payments_of(account, invoice["id"])[0]["payment"]["payment_intent"]
        code = "generic_decline" if decline == "missing_payment_method" else decline
        raise cards.declined(
            code,
            **card_error(
                account,
                payment,
            ),
        )
    if subscription["status"] == "active":
        subscription["status"] = "past_due"


def _pause(account: Account, subscription: Object, params: Params) -> None:
    if params.cleared("pause_collection"):
        subscription["pause_collection"] = None
    elif "pause_collection" in params:
        wanted = params.within("pause_collection").only("behavior", "resumes_at")
        behaviour = wanted.choice("behavior", "keep_as_draft", "mark_uncollectible", "void") or wanted.needed(
            "behavior"
        )
        resumes = wanted.whole("resumes_at")
        if resumes is not None and resumes <= account.now():
            raise invalid("resumes_at must be in the future.", wanted.path("resumes_at"))
        subscription["pause_collection"] = {"behavior": behaviour, "resumes_at": resumes}


def _cancel(account: Account, subscription: Object, params: Params) -> None:
    at_end, at = params.flag("cancel_at_period_end"), params.text("cancel_at")
    if at_end is None and "cancel_at" not in params:
        return
    if subscription["schedule"] is not None:
        raise Refusal(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )
    params.one_of("cancel_at", "cancel_at_period_end")
    end = max(item["current_period_end"] for item in subscription["items"])
    moment = end if at_end or at in ("min_period_end", "max_period_end") else params.whole("cancel_at")
    if moment is not None and moment <= account.now():
        raise invalid("cancel_at must be in the future.", "cancel_at")
    asked = {"comment": None, "feedback": None, "reason": "cancellation_requested" if moment else None}
    details = params.within("cancellation_details").only("comment", "feedback")
    subscription |= {
        "cancel_at": moment,
        "cancel_at_period_end": bool(at_end),
        "canceled_at": account.now() if moment else None,
        "cancellation_details": {**asked, "comment": details.text("comment"), "feedback": details.text("feedback")},
    }


def change_prices(account: Account, subscription: Object, params: Params, how: Terms) -> Object | None:
    """Changes items and trial; gives the draft of the invoice that is due for that now, if one is."""
    before = {item["id"]: dict(item) for item in subscription["items"]}
    touched = _change_items(account, subscription, params)
    ended = _end_trial(account, subscription, params)
    if not (touched or ended or how.anchor_now) or (subscription["status"] == "trialing"):
        return None
    resets = ended or how.anchor_now or _interval_changed(account, subscription, before)
    prorates = how.proration != "none" and not ended
    old = [item for name, item in before.items() if resets or name in touched]
    due = [lines.unused(account, subscription, item, how.moment) for item in old if prorates and item["_paid"]]
    if resets:
        due += _start_over(account, subscription)
    elif prorates:
        due += _rest(account, subscription, touched, how.moment)
    if not due:
        return None
    if not resets and how.proration == "create_prorations":
        subscription["_waiting"] += due
        return None
    return _invoice(account, subscription, due)


def _invoice(account: Account, subscription: Object, due: list[Object]) -> Object:
    waiting, subscription["_waiting"] = subscription["_waiting"], []
    invoice = invoicing.draft(account, subscription, [*waiting, *due], "subscription_update")
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _change_items(account: Account, subscription: Object, params: Params) -> set[str]:
    """Applies `items`; the ids of those that are not what they were."""
    touched = set()
    for one in params.each("items"):
        one.only("deleted", "id", "metadata", "price", "quantity")
        price, quantity = one.text("price"), one.whole("quantity")
        if price is not None and account.store.get("price", price, one.path("price"))["type"] != "recurring":
            raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                          "`type=recurring`.", one.path("price"))  # fmt: skip
        if (name := one.text("id")) is None:
            touched.add(add_item(account, subscription, one.needed("price"), quantity or 1)["id"])
            continue
        item = next((item for item in subscription["items"] if item["id"] == name), None)
        if item is None:
            raise Refusal(
                f"No such subscription_item: '{name}'", status=404, code="resource_missing", param=one.path("id")
            )
        if one.flag("deleted"):
            subscription["items"].remove(item)
            touched.add(name)
            continue
        after = (price or item["price"], item["quantity"] if quantity is None else quantity)
        if after != (item["price"], item["quantity"]):
            item["price"], item["quantity"] = after
            touched.add(name)
    if not subscription["items"]:
        raise Refusal("A subscription must have at least one active plan.")
    return touched


def _end_trial(account: Account, subscription: Object, params: Params) -> bool:
    """Applies `trial_end`; whether the trial is over by that."""
    if params.text("trial_end") is None:
        return False
    if params.text("trial_end") != "now":
        moment = params.whole("trial_end", account.now() + 1)
        subscription |= {"trial_end": moment, "billing_cycle_anchor": moment, "status": "trialing"}
        for item in subscription["items"]:
            item["current_period_end"] = moment
        return False
    was = subscription["status"] == "trialing"
    if was:
        subscription |= {"trial_end": account.now(), "status": "active"}
    return bool(was)


def _interval_changed(account: Account, subscription: Object, before: dict[str, Object]) -> bool:
    def interval(price: str) -> tuple[str, int]:
        recurring = account.store.get("price", price)["recurring"]
        return recurring["interval"], recurring["interval_count"]

    return any(
        interval(before[item["id"]]["price"]) != interval(item["price"])
        for item in subscription["items"]
        if item["id"] in before
    )


def restart(account: Account, subscription: Object, moment: int) -> None:
    """Begins a new period of every item, and counts periods from here."""
    subscription["billing_cycle_anchor"] = moment
    for item in subscription["items"]:
        recurring = account.store.get("price", item["price"])["recurring"]
        item["current_period_start"] = moment
        item["current_period_end"] = period_end(moment, moment, recurring["interval"], recurring["interval_count"])
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = max(item["current_period_end"] for item in subscription["items"])


def _start_over(account: Account, subscription: Object) -> list[Object]:
    restart(account, subscription, account.now())
    whole = [lines.full(account, subscription, item) for item in subscription["items"]]
    for item, line in zip(subscription["items"], whole, strict=True):
        item["_paid"] = lines.net(account, subscription, line["amount"])
    return whole


def _rest(account: Account, subscription: Object, touched: set[str], moment: int) -> list[Object]:
    """The rest of the period for the items that changed."""
    due = []
    for item in subscription["items"]:
        if item["id"] in touched:
            due.append(lines.remaining(account, subscription, item, moment))
            price = account.store.get("price", item["price"])
            item["_paid"] = lines.net(account, subscription, price["unit_amount"] * item["quantity"])
    return due
