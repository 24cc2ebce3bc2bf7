"""Whether what is kept and what was told is what the provider says, each thing once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar

import asyncpg
from google.protobuf.message import Message

from runtime.events.envelope import opened
from scenemesh.events.v1 import billing_pb2
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.billing_svc.announcing import invoice_name
from services.billing_svc.convert.money import NANOS_PER_CENT
from services.billing_svc.domain.payment import PaymentState
from services.billing_svc.store import rows
from tests.service.billing_svc.crash import lifecycle
from tests.service.billing_svc.crash.sender import Journal
from tests.service.billing_svc.quota import QuotaDesk

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Changed = billing_pb2.SubscriptionCreated | billing_pb2.SubscriptionUpgraded | billing_pb2.SubscriptionDowngraded
Told = TypeVar("Told", bound=Message)

UNFINISHED = """
    SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') + (SELECT count(*) FROM effects)
"""

CHANGES: dict[str, type[Changed]] = {
    "subscription.created": billing_pb2.SubscriptionCreated,
    "subscription.upgraded": billing_pb2.SubscriptionUpgraded,
    "subscription.downgraded": billing_pb2.SubscriptionDowngraded,
}


async def faults(database: Connection, journal: Journal, desk: QuotaDesk) -> list[str]:
    """Everything that is not as it should be, in words."""
    stages = {row["user_id"]: row["stage"] for row in await database.fetch("SELECT * FROM public.stages")}
    told = [opened(row["payload"]) for row in await database.fetch("SELECT payload FROM outbox ORDER BY seq")]
    found = [
        *await _inbox_faults(database, journal),
        *[fault for user, stage in stages.items() for fault in await _book_faults(database, user, stage)],
        *_quota_faults(stages, desk),
        *_told_faults(stages, told),
    ]
    return found + [f"quota_svc was told something else as {name}" for name in desk.reused]


async def _inbox_faults(database: Connection, journal: Journal) -> list[str]:
    kept = {row["event_id"]: row["state"] for row in await database.fetch("SELECT event_id, state FROM deliveries")}
    lost = [f"{name} was acknowledged and is gone" for name in journal.acknowledged.keys() - kept.keys()]
    strange = [f"nobody sent {name}" for name in kept.keys() - journal.sent.keys()]
    return lost + strange + [f"{name} is {state}" for name, state in kept.items() if state != "done"]


async def _book_faults(database: Connection, user: str, stage: int) -> list[str]:
    said = lifecycle.facts(user, stage)
    agreements = [
        rows.agreement(row) for row in await database.fetch("SELECT * FROM agreements WHERE user_id = $1", user)
    ]
    payments = {
        row["id"]: rows.payment(
            row, await database.fetch("SELECT * FROM payment_lines WHERE payment = $1 ORDER BY place", row["id"])
        )
        for row in await database.fetch("SELECT * FROM payments WHERE user_id = $1", user)
    }
    wrong = [f"{user}'s agreement is {agreements}"] if agreements != list(said.agreements) else []
    if payments != {payment.id: payment for payment in said.payments}:
        wrong.append(f"{user}'s payments are {payments}, not {said.payments}")
    plan = await database.fetchval("SELECT plan FROM subscriptions WHERE user_id = $1", user)
    return wrong + ([f"{user} is on {plan}"] if plan != lifecycle.plan(stage) else [])


def _quota_faults(stages: Mapping[str, int], desk: QuotaDesk) -> Iterator[str]:
    for user, stage in stages.items():
        if desk.plan(user) != f"plans/{lifecycle.plan(stage)}":
            yield f"quota_svc has {user} on {desk.plan(user)}"
        if desk.credits(user) != lifecycle.credits_left(user, stage):
            yield f"quota_svc has given {user} {desk.credits(user)}, not {lifecycle.credits_left(user, stage)}"


def _told_faults(stages: Mapping[str, int], told: list[Envelope]) -> Iterator[str]:
    """Each payment is told once, what went back adds up, and each change of plan begins where the last one ended."""
    paid, given, returned, plans = Counter[str](), Counter[str](), Counter[str](), dict[str, str]()
    for one in told:
        match one.type:
            case "payment.succeeded":
                paid[_opened(one, billing_pb2.PaymentSucceeded()).invoice] += 1
            case "credits.purchased":
                given[_opened(one, billing_pb2.CreditsPurchased()).invoice] += 1
            case "payment.refunded":
                refunded = _opened(one, billing_pb2.PaymentRefunded())
                returned[refunded.invoice] += refunded.amount.units * 100 + refunded.amount.nanos // NANOS_PER_CENT
            case "subscription.created" | "subscription.upgraded" | "subscription.downgraded" as kind:
                change = _opened(one, CHANGES[kind]())
                if plans.get(one.subject, "plans/free") != change.previous_plan:
                    yield f"{one.subject} was on {plans.get(one.subject)} and changed from {change.previous_plan}"
                plans[one.subject] = change.plan
    said = [payment for user, stage in stages.items() for payment in lifecycle.facts(user, stage).payments]
    went = [payment for payment in said if payment.state is PaymentState.PAID]
    if paid != Counter(invoice_name(payment) for payment in went):
        yield f"payments were told as {paid}"
    if given != Counter(invoice_name(payment) for payment in went if payment.agreement is None):
        yield f"packs were told as {given}"
    if returned != Counter({invoice_name(payment): payment.returned for payment in went if payment.returned}):
        yield f"money that went back was told as {returned}"
    for user, stage in stages.items():
        if plans.get(f"users/{user}", "plans/free") != f"plans/{lifecycle.plan(stage)}":
            yield f"{user} was told to be on {plans.get(f'users/{user}')}"


def _opened(one: Envelope, data: Told) -> Told:
    assert one.data.Unpack(data)
    return data
