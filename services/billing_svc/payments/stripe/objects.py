"""Stripe's objects in our terms, as they are in API version 2026-10-28. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.errors import Internal
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Catalogue, Pack, PlanArticle, Provider
from services.billing_svc.payments.users import user_named

Json = Mapping[str, Any]

ENDED = ("canceled", "incomplete_expired")
UNPAID = ("past_due", "unpaid")
# An early warning takes no money, and neither does a dispute that was won.
CHARGEBACKS = ("needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review")
PAYMENT_STATES = {
    "paid": PaymentState.PAID,
    "open": PaymentState.OPEN,
    "uncollectible": PaymentState.VOID,
    "void": PaymentState.VOID,
}


@dataclass(frozen=True)
class Returned:
    """Cents that went back to the buyer: given back by us, and taken back by the bank."""

    refunded: int = 0
    charged_back: int = 0


@contextmanager
def legible() -> Iterator[None]:
    """An object that is not as it is documented is Internal (PROVIDER_OBJECT_UNREADABLE)."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise Internal("Stripe's object is not as expected.", reason="PROVIDER_OBJECT_UNREADABLE") from error


def reference(value: Any) -> str | None:
    """The id of what an object points to, whether that was expanded or not."""
    name = value.get("id") if isinstance(value, Mapping) else value
    return name if isinstance(name, str) and name else None


def expanded(value: Any) -> Json | None:
    """What an object points to; None when it points to nothing, or it was not expanded."""
    return value if isinstance(value, Mapping) else None


def user(metadata: Any) -> str | None:
    """Whose an object is, as we wrote it there."""
    name = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    return user_named(name) if isinstance(name, str) else None


def moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def agreement(subscription: Json, owner: str, catalogue: Catalogue, unpaid_since: datetime | None = None) -> Agreement:
    """A subscription. NotOurs when its price is not on offer here.

    `unpaid_since` is when the first period began that was not paid for, where that is not the present one.
    """
    item, article = sold(subscription, catalogue)
    start, end = _at(item["current_period_start"]), _at(item["current_period_end"])
    plan, interval = _next(subscription, catalogue)
    common: dict[str, Any] = {
        "provider": Provider.STRIPE,
        "id": subscription["id"],
        "user": owner,
        "plan": article.plan.slug,
        "interval": article.price.interval,
        "start": _at(subscription["start_date"]),
        "next_plan": plan,
        "next_interval": interval,
        "customer": reference(subscription["customer"]) or "",
        "trial": subscription.get("trial_start") is not None,
    }
    return Agreement(**common, **_standing(subscription, start, end, unpaid_since or start, catalogue.grace))


def sold(subscription: Json, catalogue: Catalogue) -> tuple[Json, PlanArticle]:
    """The item of a subscription that is one of our plans, and the plan. NotOurs when none is."""
    for item in subscription["items"]["data"]:
        article = catalogue.sold(Provider.STRIPE, reference(item.get("price")) or "")
        if isinstance(article, PlanArticle):
            return item, article
    raise NotOurs("The subscription's price is not on offer here.")


def _standing(
    subscription: Json, start: datetime, end: datetime, unpaid_since: datetime, grace: timedelta
) -> dict[str, Any]:
    """State and times. What is not paid comes before what was asked for: it is what stops the plan first."""
    status, pause = subscription["status"], subscription.get("pause_collection")
    if status in ENDED:
        ended = moment(subscription.get("ended_at"))
        return {"state": State.EXPIRED, "period_end": min(end, ended) if ended else end}
    if status == "incomplete":
        # The first payment is on its way: there is an agreement, and nothing was paid, so it never was in force.
        return {"state": State.PAST_DUE, "period_end": start, "grace_end": start}
    if status in UNPAID:
        return {"state": State.PAST_DUE, "period_end": unpaid_since, "grace_end": unpaid_since + grace}
    renewal = _renewal(subscription)
    cancel_at = moment(subscription.get("cancel_at"))
    if subscription.get("cancel_at_period_end") or (cancel_at is not None and cancel_at <= end):
        return {
            "state": State.CANCELLED,
            "period_end": start if renewal in ("void", "uncollectible") else cancel_at or end,
        }
    if pause is not None or status == "paused":
        paid_until = end if renewal in (None, "paid") and status != "paused" else start
        return {"state": State.PAUSED, "period_end": paid_until, "resume_time": moment((pause or {}).get("resumes_at"))}
    if renewal in ("void", "uncollectible"):
        # It goes on after a pause, in a period that nobody was charged for: it gives nothing before the next one.
        return {"state": State.PAUSED, "period_end": start, "resume_time": end}
    return {"state": State.TRIALING if status == "trialing" else State.ACTIVE, "period_end": end}


def _renewal(subscription: Json) -> str | None:
    """The status of the invoice for the present period; None when another one came after it."""
    invoice = expanded(subscription.get("latest_invoice"))
    return invoice["status"] if invoice and invoice.get("billing_reason") == "subscription_cycle" else None


def lapsed(subscription: Json) -> bool:
    """Whether nobody was charged for the present period: it was paused when the period began."""
    return _renewal(subscription) in ("void", "uncollectible")


def _next(subscription: Json, catalogue: Catalogue) -> tuple[str | None, Any]:
    """The plan and interval that are planned to follow."""
    phase = planned(subscription)
    if phase is None:
        return None, None
    article = catalogue.sold(Provider.STRIPE, reference(phase["items"][0]["price"]) or "")
    return (article.plan.slug, article.price.interval) if isinstance(article, PlanArticle) else (None, None)


def planned(subscription: Json) -> Json | None:
    """The phase of a subscription's schedule that follows the present one."""
    schedule = expanded(subscription.get("schedule"))
    current = schedule.get("current_phase") if schedule else None
    if schedule is None or current is None or schedule["status"] != "active":
        return None
    return next((phase for phase in schedule["phases"] if phase["start_date"] >= current["end_date"]), None)


def subscription_of(invoice: Json) -> str | None:
    """The subscription that an invoice is for."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return reference(details.get("subscription"))


def payment_intents(invoice: Json) -> list[str]:
    """The attempts to pay an invoice that Stripe made."""
    found = (reference((one.get("payment") or {}).get("payment_intent")) for one in invoice["payments"]["data"])
    return [name for name in found if name]


def invoice_payment(invoice: Json, owner: str, returned: Returned, catalogue: Catalogue) -> Payment | None:
    """An invoice of a subscription; None for a draft, whose lines may still change.

    Its cents are what was asked for, after discounts and what the buyer had in credit.
    """
    state = PAYMENT_STATES.get(invoice["status"])
    if state is None:
        return None
    return Payment(
        id=invoice["id"],
        user=owner,
        state=state,
        cents=invoice["amount_due"],
        lines=tuple(_lines(invoice["lines"]["data"], catalogue)),
        agreement=subscription_of(invoice),
        failed=state is PaymentState.OPEN and invoice["attempt_count"] > 0,
        number=invoice.get("number") or "",
        url=invoice.get("hosted_invoice_url") or "",
        **_charged(invoice, returned, invoice["amount_due"]),
    )


def is_pack(thing: Json) -> bool:
    """Whether a payment or a checkout is for a pack of credits."""
    return bool((thing.get("metadata") or {}).get("pack"))


def pack(thing: Json, catalogue: Catalogue) -> Pack:
    """The pack that a payment or a checkout is for. NotOurs when it is not on offer here."""
    found = catalogue.pack(thing["metadata"]["pack"])
    if found is None:
        raise NotOurs("The pack is not on offer here.")
    return found


def pack_payment(intent: Json, owner: str, returned: Returned, pack: Pack) -> Payment:
    """A payment for a pack of credits."""
    state = {"succeeded": PaymentState.PAID, "canceled": PaymentState.VOID}.get(intent["status"], PaymentState.OPEN)
    return Payment(
        id=intent["id"],
        user=owner,
        state=state,
        cents=intent["amount"],
        lines=(Line("pack", f"packs/{pack.slug}", intent["amount"], credits=pack.credits),),
        failed=state is PaymentState.OPEN and intent.get("last_payment_error") is not None,
        **_charged(intent, returned, intent["amount"]),
    )


def free_pack(session: Json, owner: str, pack: Pack) -> Payment:
    """A pack that a promotion code gave whole, for which there is no payment at Stripe but the checkout itself.

    Its line says what it would have cost.
    """
    return Payment(
        id=session["id"],
        user=owner,
        state=PaymentState.PAID,
        cents=0,
        lines=(Line("pack", f"packs/{pack.slug}", session["amount_subtotal"], credits=pack.credits),),
        **_charged(session, Returned(), 0),
    )


def returned(charges: Iterable[Json], disputes: Iterable[Json]) -> Returned:
    """What went back of some charges."""
    taken = sum(dispute["amount"] for dispute in disputes if dispute["status"] in CHARGEBACKS)
    return Returned(sum(charge["amount_refunded"] for charge in charges), taken)


def _charged(thing: Json, back: Returned, cents: int) -> dict[str, Any]:
    """What all payments have. A bank that took a part back counts like a refund of that part."""
    whole = 0 < cents <= back.charged_back
    return {
        "provider": Provider.STRIPE,
        "currency": thing["currency"].lower(),
        "time": _at(thing["created"]),
        "refunded": back.refunded + (0 if whole else back.charged_back),
        "disputed": whole,
    }


def _lines(lines: Iterable[Json], catalogue: Catalogue) -> Iterator[Line]:
    """The lines that are for plans of ours; what else an operator put on an invoice gives nothing."""
    for line in lines:
        details = (line.get("pricing") or {}).get("price_details") or {}
        article = catalogue.sold(Provider.STRIPE, reference(details.get("price")) or "")
        if isinstance(article, PlanArticle):
            yield _line(line, article)


def _line(line: Json, article: PlanArticle) -> Line:
    parent = line.get("parent") or {}
    sources = (parent.get("subscription_item_details"), parent.get("invoice_item_details"))
    proration = any(source.get("proration") for source in sources if source)
    return Line(
        id=line["id"],
        article=f"plans/{article.plan.slug}",
        cents=line["amount"],
        interval=article.price.interval,
        start=_at(line["period"]["start"]),
        end=_at(line["period"]["end"]),
        proration=proration,
        credits=0 if proration else article.price.credits,
    )


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
