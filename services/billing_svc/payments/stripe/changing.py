"""Changes of subscriptions at Stripe.

A change reads the subscription first and does only what is still to be done, each step with an idempotency key that
follows from the caller's: one that was cut in the middle is done again from its beginning, and happens once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Catalogue, PlanArticle
from services.billing_svc.payments.provider import Preview
from services.billing_svc.payments.stripe import objects
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.objects import Json, legible, reference
from services.billing_svc.payments.stripe.reading import Reading
from services.billing_svc.payments.stripe.selling import CURRENCY, price


class StripeChanging:
    """See `payments.provider.Desk`. `clock` gives the present in UTC."""

    def __init__(self, api: Api, reading: Reading, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._reading = reading
        self._catalogue = catalogue
        self._clock = clock

    async def preview(self, agreement: Agreement, article: PlanArticle, *, at_end: bool) -> Preview:
        if at_end:
            return Preview(agreement.period_end, due=0, credited=0, currency=CURRENCY)
        target = price(article)
        with legible():
            item, _ = objects.sold(await self._api.subscription(agreement.id), self._catalogue)
            invoice = await self._api.preview_invoice(
                agreement.id,
                items=[{"id": item["id"], "price": target}],
                proration_behavior="always_invoice",
            )
            rest = -sum(line["amount"] for line in invoice["lines"]["data"] if line["amount"] < 0)
            return Preview(self._clock(), max(0, invoice["amount_due"]), rest, invoice["currency"].lower())

    async def change(self, agreement: Agreement, article: PlanArticle, *, at_end: bool, key: str) -> Facts:
        target = price(article)
        with legible():
            subscription = await self._api.subscription(agreement.id)
            item, has = objects.sold(subscription, self._catalogue)
            if has == article:
                await self._release(subscription, key)
            elif at_end:
                await self._plan(subscription, item, article, key)
            else:
                # The payment comes first: when it is declined, nothing has changed.
                await self._api.update_subscription(
                    agreement.id,
                    f"{key}/change",
                    items=[{"id": item["id"], "price": target}],
                    proration_behavior="always_invoice",
                    payment_behavior="error_if_incomplete",
                )
                await self._release(subscription, key)
        return await self._reading.subscription(agreement.id)

    async def cancel(self, agreement: Agreement, *, immediately: bool, key: str) -> Facts:
        with legible():
            subscription = await self._api.subscription(agreement.id)
            if subscription["status"] not in objects.ENDED:
                # Stripe does not cancel what a schedule is about to change.
                await self._release(subscription, key)
                if immediately:
                    await self._api.cancel_subscription(agreement.id, f"{key}/cancel")
                else:
                    await self._api.update_subscription(agreement.id, f"{key}/cancel", cancel_at_period_end=True)
        return await self._reading.subscription(agreement.id)

    async def pause(self, agreement: Agreement, resume_time: datetime | None, *, key: str) -> Facts:
        pause: dict[str, Any] = {"behavior": "void"}
        if resume_time is not None:
            pause["resumes_at"] = int(resume_time.timestamp())
        await self._api.update_subscription(agreement.id, f"{key}/pause", pause_collection=pause)
        return await self._reading.subscription(agreement.id)

    async def resume(self, agreement: Agreement, *, key: str) -> Facts:
        """A period that began during the pause was not charged for: it ends here, and a paid one begins."""
        with legible():
            subscription = await self._api.subscription(agreement.id)
            if subscription["status"] in objects.ENDED:
                message = "The subscription is over. It needs a new checkout."
                raise FailedPrecondition(message, reason="SUBSCRIPTION_ENDED")
            changes = _resuming(subscription)
            if changes:
                await self._api.update_subscription(agreement.id, f"{key}/resume", **changes)
        return await self._reading.subscription(agreement.id)

    async def _release(self, subscription: Json, key: str) -> None:
        """Takes a planned change back, if there is one."""
        if schedule := reference(subscription.get("schedule")):
            await self._api.release_schedule(schedule, f"{key}/release/{schedule}")

    async def _plan(self, subscription: Json, item: Json, article: PlanArticle, key: str) -> None:
        """Plans another price from the end of the period on; an earlier plan is replaced."""
        schedule = objects.expanded(subscription.get("schedule"))
        if schedule is None:
            schedule = await self._api.create_schedule(subscription["id"], f"{key}/schedule")
        phase = _present(schedule)
        kept = {"discounts": phase["discounts"]} if phase.get("discounts") else {}
        now: dict[str, Any] = {
            "items": [{"price": reference(item["price"]), "quantity": 1}],
            "start_date": phase["start_date"],
            "end_date": item["current_period_end"],
        }
        if subscription["status"] == "trialing":
            now["trial_end"] = item["current_period_end"]
        then: dict[str, Any] = {
            "items": [{"price": price(article), "quantity": 1}],
            "duration": {"interval": article.price.interval.value, "interval_count": 1},
        }
        await self._api.update_schedule(
            schedule["id"],
            f"{key}/plan/{schedule['id']}",
            end_behavior="release",
            proration_behavior="none",
            phases=[now | kept, then | kept],
        )


def _present(schedule: Json) -> dict[str, Any]:
    """The phase that a schedule is in, with its discounts as they are asked for."""
    start = schedule["current_phase"]["start_date"]
    phase: dict[str, Any] = dict(next(one for one in schedule["phases"] if one["start_date"] == start))
    # Whoever got a plan at a discount keeps it: what is left out of a new phase is taken away.
    names = ("coupon", "discount", "promotion_code")
    given = [
        {name: reference(one.get(name)) for name in names if one.get(name)} for one in phase.get("discounts") or []
    ]
    return phase | {"discounts": given}


def _resuming(subscription: Json) -> dict[str, Any]:
    """What is to be changed so that a subscription renews again."""
    changes: dict[str, Any] = {}
    if subscription.get("cancel_at_period_end"):
        changes["cancel_at_period_end"] = False
    elif subscription.get("cancel_at") is not None:
        changes["cancel_at"] = ""
    if subscription.get("pause_collection") is not None:
        changes["pause_collection"] = ""
    if objects.lapsed(subscription):
        changes["billing_cycle_anchor"] = {"type": "now"}
        changes["proration_behavior"] = "none"
        changes["payment_behavior"] = "error_if_incomplete"
    return changes
