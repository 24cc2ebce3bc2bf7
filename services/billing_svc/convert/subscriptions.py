"""Subscriptions, and what was done to them, as the contract says them."""

from __future__ import annotations

from datetime import UTC, datetime

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.convert.money import money
from services.billing_svc.convert.words import (
    INTERVALS_FROM,
    PROVIDERS,
    PROVIDERS_FROM,
    STATES,
    interval_to_proto,
    slug_from_name,
)
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.moving import Change
from services.billing_svc.domain.plan import FREE, Interval, Provider
from services.billing_svc.domain.subscription import Subscription
from services.billing_svc.domain.wish import Wish
from services.billing_svc.payments.provider import Page


def wish_from_proto(user: str, request: billing_pb2.CreateCheckoutSessionRequest) -> Wish:
    """What a buyer asks for; Stripe where no provider is named."""
    plan = request.plan if request.HasField("plan") else None
    return Wish(
        user=user,
        slug=slug_from_name(plan.plan if plan else request.pack),
        interval=INTERVALS_FROM[plan.interval] if plan else None,
        provider=PROVIDERS_FROM.get(request.provider, Provider.STRIPE),
        success_url=request.success_url,
        cancel_url=request.cancel_url,
        trial=plan.trial if plan else False,
        promo_code=request.promo_code,
    )


def checkout_to_proto(user: str, page: Page, *, test_mode: bool) -> billing_pb2.CheckoutSession:
    return billing_pb2.CheckoutSession(
        name=f"users/{user}/checkoutSessions/{page.id}",
        url=page.url,
        expire_time=page.expire_time,
        test_mode=test_mode,
    )


def choice_from_proto(request: billing_pb2.ChangeSubscriptionRequest) -> tuple[str, Interval]:
    """The plan, and its interval."""
    return slug_from_name(request.plan), INTERVALS_FROM[request.interval]


def resume_time_from_proto(request: billing_pb2.PauseSubscriptionRequest) -> datetime | None:
    """None to wait for ResumeSubscription."""
    return request.resume_time.ToDatetime(UTC) if request.HasField("resume_time") else None


def subscription_to_proto(subscription: Subscription, now: datetime) -> billing_pb2.Subscription:
    counts = subscription.counts
    answer = billing_pb2.Subscription(
        name=f"users/{subscription.user}/subscription",
        plan=f"plans/{subscription.plan}",
        state=STATES[subscription.state],
        agreements=[_agreement(one, now) for one in (*((counts,) if counts else ()), *subscription.others)],
    )
    if counts is not None:
        _add_waiting(answer, counts)
        if subscription.plan != FREE:
            _add_paid(answer, counts)
    return answer


def change_to_proto(change: Change, now: datetime) -> billing_pb2.SubscriptionChange:
    return billing_pb2.SubscriptionChange(
        subscription=subscription_to_proto(change.subscription, now),
        effective_time=change.effective_time,
        amount_due=money(change.due, change.currency),
        credited=money(change.credited, change.currency),
    )


def _add_paid(answer: billing_pb2.Subscription, counts: Agreement) -> None:
    """What there is to say only while it gives something."""
    answer.period_end_time.FromDatetime(counts.period_end)
    answer.provider = PROVIDERS[counts.provider]
    answer.interval = interval_to_proto(counts.interval)
    answer.next_plan = f"plans/{counts.next_plan}" if counts.next_plan else ""
    answer.next_interval = interval_to_proto(counts.next_interval)


def _add_waiting(answer: billing_pb2.Subscription, counts: Agreement) -> None:
    """Until when it is waited for."""
    if counts.state is State.PAST_DUE and counts.grace_end is not None:
        answer.grace_end_time.FromDatetime(counts.grace_end)
    if counts.state is State.PAUSED and counts.resume_time is not None:
        answer.resume_time.FromDatetime(counts.resume_time)


def _agreement(agreement: Agreement, now: datetime) -> billing_pb2.Agreement:
    return billing_pb2.Agreement(
        provider=PROVIDERS[agreement.provider],
        id=agreement.id,
        plan=f"plans/{agreement.plan}",
        interval=interval_to_proto(agreement.interval),
        state=STATES[agreement.state],
        period_end_time=agreement.period_end,
        in_force=agreement.in_force(now),
    )
