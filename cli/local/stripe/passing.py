"""What time brings: renewals, ends of trials, of pauses and of subscriptions, another try to be paid."""

from cli.local.stripe import checkout, collecting, schedules, subscribing
from cli.local.stripe.account import Account
from cli.local.stripe.events import changing, happened, prune
from cli.local.stripe.store import Object

INCOMPLETE_SECONDS = 23 * 3600
# A fake is no place for a century of weekly renewals.
STEPS_MAX = 100_000
LIVING = ("active", "trialing", "past_due")


def run(account: Account, until: int) -> None:
    """Does all that is due until then, each thing at its own moment."""
    for _ in range(STEPS_MAX):
        moment = next_due(account)
        if moment is None or moment > until:
            break
        with account.clock.held(moment), account.store.transaction():
            _step(account, moment)
    prune(account)


def next_due(account: Account) -> int | None:
    """When something is due next."""
    moments = [_subscription_due(account, one) for one in account.store.all("subscription")]
    moments += [one["next_payment_attempt"] for one in account.store.all("invoice")]
    moments += [one["expires_at"] for one in account.store.all("checkout.session") if one["status"] == "open"]
    return min((moment for moment in moments if moment is not None), default=None)


def _subscription_due(account: Account, subscription: Object) -> int | None:
    if subscription["status"] == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_SECONDS
    if subscription["status"] not in LIVING:
        return None
    moments = [item["current_period_end"] for item in subscription["items"]]
    moments += [subscription["cancel_at"], (subscription["pause_collection"] or {}).get("resumes_at")]
    if subscription["schedule"]:
        moments.append(
            account.store.get("subscription_schedule", subscription["schedule"])["current_phase"]["end_date"]
        )
    if subscription["status"] == "trialing" and not subscription["_announced"]:
        moments.append(max(subscription["created"], subscription["trial_end"] - subscribing.NOTICE_SECONDS))
    return int(min(moment for moment in moments if moment is not None))


def _step(account: Account, moment: int) -> None:
    for subscription in reversed(account.store.all("subscription")):
        due = _subscription_due(account, subscription)
        if due is not None and due <= moment:
            _pass(account, subscription["id"], moment)
    for invoice in reversed(account.store.all("invoice")):
        if invoice["next_payment_attempt"] is not None and invoice["next_payment_attempt"] <= moment:
            _try_again(account, invoice)
    for session in account.store.all("checkout.session"):
        if session["status"] == "open" and session["expires_at"] <= moment:
            checkout.expire(account, session["id"])


def _pass(account: Account, identity: str, moment: int) -> None:
    """One subscription at a moment when something of it is due."""
    subscription = account.store.get("subscription", identity)
    if subscription["status"] == "incomplete":
        _give_up(account, identity)
        return
    resumes = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes is not None and resumes <= moment:
        with changing(account, "subscription", identity, "customer.subscription.updated") as changed:
            changed["pause_collection"] = None
    if _notice_due(subscription, moment):
        account.store.edit("subscription", identity)["_announced"] = True
        happened(account, "customer.subscription.trial_will_end", subscription)
    if (schedule := subscription["schedule"]) is not None:
        phase = account.store.get("subscription_schedule", schedule)["current_phase"]
        if phase["end_date"] <= moment and schedules.advance(account, schedule) == "cancel":
            subscribing.end(account, identity, "cancellation_requested", moment)
            return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= moment:
        subscribing.end(account, identity, "cancellation_requested", subscription["cancel_at"])
    elif any(item["current_period_end"] <= moment for item in subscription["items"]):
        _renew(account, identity)


def _notice_due(subscription: Object, moment: int) -> bool:
    if subscription["status"] != "trialing" or subscription["_announced"]:
        return False
    return bool(subscription["trial_end"] - subscribing.NOTICE_SECONDS <= moment)


def _renew(account: Account, identity: str) -> None:
    """Begins the next period, and has it paid."""
    with changing(account, "subscription", identity, "customer.subscription.updated") as subscription:
        subscribing.begin_next_period(account, subscription)
    if subscribing.invoice_period(account, identity, "subscription_cycle") is not None:
        collecting.overdue(account, identity)


def _try_again(account: Account, invoice: Object) -> None:
    declined = collecting.collect(account, invoice["id"]) is not None
    if declined and invoice["next_payment_attempt"] is None:
        subscribing.end(account, collecting.subscription_of(invoice), "payment_failed")


def _give_up(account: Account, identity: str) -> None:
    with changing(account, "subscription", identity, "customer.subscription.updated") as changed:
        changed |= {"status": "incomplete_expired", "ended_at": account.now()}


def bring_forward(account: Account, identity: str) -> None:
    """Ends the present period of one subscription now, and does what its end brings; the clock stands."""
    now = account.now()
    subscription = account.store.edit("subscription", identity)
    end = subscription["items"][0]["current_period_end"]
    for item in subscription["items"]:
        item["current_period_end"] = now
    subscription["billing_cycle_anchor"] = now
    if subscription["status"] == "trialing":
        subscription["trial_end"] = now
    if subscription["cancel_at"] is not None:
        subscription["cancel_at"] -= end - now
    if subscription["schedule"] is not None:
        _bring_phases_forward(account, subscription["schedule"], end - now)
    _pass(account, identity, now)


def _bring_phases_forward(account: Account, identity: str, seconds: int) -> None:
    schedule = account.store.edit("subscription_schedule", identity)
    for phase in schedule["phases"]:
        if phase["start_date"] != schedule["current_phase"]["start_date"]:
            phase["start_date"] -= seconds
        phase["end_date"] -= seconds
    schedule["current_phase"]["end_date"] -= seconds
