"""Subscription schedules: what a subscription becomes later."""

from cli.local.stripe.account import Account, made
from cli.local.stripe.changing import restart
from cli.local.stripe.events import changing, happened
from cli.local.stripe.params import Params
from cli.local.stripe.periods import later
from cli.local.stripe.refusal import Refusal, invalid
from cli.local.stripe.store import Object, new_id

PHASE_NAMES = (
    "billing_cycle_anchor", "collection_method", "currency", "default_payment_method", "description", "discounts",
    "duration", "end_date", "items", "metadata", "proration_behavior", "start_date", "trial_end",
)  # fmt: skip


def create(account: Account, params: Params) -> Object:
    """A schedule of a subscription as it is, with its present period as the only phase."""
    name = params.needed("from_subscription")
    subscription = account.store.get("subscription", name, "from_subscription")
    if subscription["schedule"] is not None:
        raise Refusal(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"{subscription['schedule']}", param="from_subscription",
        )  # fmt: skip
    if subscription["status"] not in ("active", "trialing", "past_due"):
        raise Refusal("You cannot migrate a subscription that is not active.", param="from_subscription")
    identity = new_id("sub_sched_")
    period = subscription["items"][0]
    items = [{"price": item["price"], "quantity": item["quantity"]} for item in subscription["items"]]
    phase = _phase(period["current_period_start"], period["current_period_end"], items, subscription["discounts"])
    phase["trial_end"] = subscription["trial_end"] if subscription["status"] == "trialing" else None
    with changing(account, "subscription", name, "customer.subscription.updated") as changed:
        changed["schedule"] = identity
        ends, changed["cancel_at_period_end"] = changed["cancel_at_period_end"], False
    schedule = made(
        account,
        "subscription_schedule",
        identity,
        application=None,
        billing_mode=subscription["billing_mode"],
        canceled_at=None,
        completed_at=None,
        current_phase={name: phase[name] for name in ("start_date", "end_date")},
        customer=subscription["customer"],
        customer_account=None,
        default_settings={"billing_cycle_anchor": "automatic", "collection_method": "charge_automatically"},
        end_behavior="cancel" if ends else "release",
        metadata=params.metadata(),
        phases=[phase],
        released_at=None,
        released_subscription=None,
        status="active",
        subscription=name,
        test_clock=None,
    )
    account.store.add("subscription_schedule", schedule)
    happened(account, "subscription_schedule.created", schedule)
    return schedule


def _phase(start: int, end: int, items: list[Object], discounts: list[str]) -> Object:
    shown = [
        {"billing_thresholds": None, "discounts": [], "metadata": {}, "plan": one["price"], "tax_rates": [], **one}
        for one in items
    ]
    return {
        "add_invoice_items": [],
        "billing_cycle_anchor": None,
        "currency": "usd",
        "default_payment_method": None,
        "description": None,
        "discounts": [{"coupon": None, "discount": one, "promotion_code": None} for one in discounts],
        "end_date": end,
        "items": shown,
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
        "trial_end": None,
    }


def update(account: Account, identity: str, params: Params) -> Object:
    schedule = account.store.get("subscription_schedule", identity)
    if schedule["status"] != "active":
        raise Refusal(f"You cannot update a subscription schedule that is `{schedule['status']}`.")
    with changing(account, "subscription_schedule", identity, "subscription_schedule.updated") as changed:
        changed["metadata"] = params.metadata(changed["metadata"])
        changed["end_behavior"] = params.choice("end_behavior", "cancel", "release") or changed["end_behavior"]
        if "phases" in params:
            changed["phases"] = _phases(account, schedule, params.each("phases"))
            changed["current_phase"]["end_date"] = changed["phases"][0]["end_date"]
            _discount(account, schedule["subscription"], changed["phases"][0])
    return schedule


def _phases(account: Account, schedule: Object, wanted: list[Params]) -> list[Object]:
    """The phases of a request: one after the other, the first of them the one that runs."""
    phases: list[Object] = []
    start = schedule["current_phase"]["start_date"]
    if not wanted or wanted[0].text("start_date") is None:
        raise invalid("The first phase must have its start_date.", "phases[0][start_date]")
    for number, one in enumerate(wanted):
        one.only(*PHASE_NAMES)
        if one.text("start_date") not in (None, str(start)):
            what = "You can not modify the start date of the current phase." if number == 0 else (
                "Phases must be contiguous: each begins when the one before ends.")  # fmt: skip
            raise invalid(what, one.path("start_date"))
        items = [_item(account, item) for item in one.each("items")]
        if not items:
            raise invalid(f"Missing required param: {one.path('items')}.", one.path("items"), "parameter_missing")
        end = _end(account, one, start, items[0]["price"], last=number == len(wanted) - 1)
        if end <= start or (number == 0 and end < account.now()):
            raise invalid(
                "A phase must end after it begins, and the present one not in the past.", one.path("end_date")
            )
        phase = _phase(start, end, items, _discounts(account, one))
        proration = one.choice("proration_behavior", "always_invoice", "create_prorations", "none")
        phase["proration_behavior"] = proration or phase["proration_behavior"]
        phase["trial_end"] = one.whole("trial_end", start, end)
        phases.append(phase)
        start = end
    _keeps_trial(account, schedule, phases[0])
    return phases


def _discounts(account: Account, one: Params) -> list[str]:
    """The discounts of a phase, which are those that the subscription has already."""
    named = [each.only("discount").needed("discount") for each in one.each("discounts")]
    return [account.store.get("discount", name, one.path("discounts"))["id"] for name in named]


def _keeps_trial(account: Account, schedule: Object, phase: Object) -> None:
    """Stripe would end a trial that the present phase does not name. Nobody wants that, so here it is refused."""
    subscription = account.store.get("subscription", schedule["subscription"])
    if subscription["status"] == "trialing" and phase["trial_end"] != subscription["trial_end"]:
        raise invalid("The present phase has to name the trial_end of its trial, or it ends.", "phases[0][trial_end]")


def _item(account: Account, item: Params) -> Object:
    item.only("metadata", "price", "quantity")
    price = account.store.get("price", item.needed("price"), item.path("price"))
    return {"price": price["id"], "quantity": item.whole("quantity", 1) or 1}


def _end(account: Account, one: Params, start: int, price: str, *, last: bool) -> int:
    one.one_of("end_date", "duration")
    if one.text("end_date") == "now":
        return account.now()
    if (moment := one.whole("end_date")) is not None:
        return moment
    recurring = account.store.get("price", price)["recurring"]
    if "duration" in one:
        duration = one.within("duration").only("interval", "interval_count")
        interval = duration.choice("interval", "day", "week", "month", "year") or duration.needed("interval")
        return later(start, interval, duration.whole("interval_count", 1) or 1)
    if not last:
        raise invalid("Only the last phase may have no end.", one.path("end_date"))
    return later(start, recurring["interval"], recurring["interval_count"])


def release(account: Account, identity: str) -> Object:
    """Lets the subscription go on as it is, without the schedule."""
    schedule = account.store.get("subscription_schedule", identity)
    if schedule["status"] != "active":
        raise Refusal(
            "This subscription schedule cannot be released because it is currently in the "
            f"`{schedule['status']}` status."
        )
    with changing(account, "subscription", schedule["subscription"], "customer.subscription.updated") as subscription:
        subscription["schedule"] = None
    changed = account.store.edit("subscription_schedule", identity)
    changed |= {
        "status": "released",
        "released_at": account.now(),
        "released_subscription": changed["subscription"],
        "subscription": None,
        "current_phase": None,
    }
    happened(account, "subscription_schedule.released", changed)
    return schedule


def advance(account: Account, identity: str) -> str | None:
    """Ends the phase that runs: the next one begins, or the schedule is over. Gives "cancel" when the subscription is,
    too."""
    schedule = account.store.edit("subscription_schedule", identity)
    running = next(number for number, phase in enumerate(schedule["phases"]) if _runs(schedule, phase))
    following = schedule["phases"][running + 1 :]
    if not following:
        if schedule["end_behavior"] == "cancel":
            return "cancel"
        release(account, identity)
        return None
    phase = following[0]
    schedule["current_phase"] = {name: phase[name] for name in ("start_date", "end_date")}
    happened(account, "subscription_schedule.updated", schedule)
    _apply(account, schedule["subscription"], phase)
    return None


def _runs(schedule: Object, phase: Object) -> bool:
    return all(phase[edge] == schedule["current_phase"][edge] for edge in ("start_date", "end_date"))


def _discount(account: Account, identity: str, phase: Object) -> None:
    with changing(account, "subscription", identity, "customer.subscription.updated") as subscription:
        subscription["discounts"] = [one["discount"] for one in phase["discounts"]]


def _apply(account: Account, identity: str, phase: Object) -> None:
    with changing(account, "subscription", identity, "customer.subscription.updated") as subscription:
        subscription["discounts"] = [one["discount"] for one in phase["discounts"]]
        for item, wanted in zip(subscription["items"], phase["items"], strict=False):
            old, new = (account.store.get("price", one["price"])["recurring"] for one in (item, wanted))
            item |= {"price": wanted["price"], "quantity": wanted["quantity"]}
            if old != new:
                # A period that is counted in other units begins now.
                ends = item["current_period_end"]
                restart(account, subscription, account.now())
                item["current_period_end"] = min(ends, item["current_period_start"])
