"""What is bought in an app's store, as RevenueCat tells it through the edge: in any order, and as often as it likes."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.appstore import AUTHORIZATION, Purchase, body, transfer
from tests.e2e.buyer import Buyer, until
from tests.e2e.clients import JSON_TYPE, Json, kind, requested
from tests.e2e.stack import Stack


async def _send(stack: Stack, *events: Json) -> None:
    for event in events:
        url, headers = f"{stack.url}/v1/webhooks/revenuecat", {**JSON_TYPE, "authorization": AUTHORIZATION}
        async with requested("POST", url, body(event), headers) as response:
            assert (response.status, await response.json()) == (200, {})


def _ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


async def test_a_purchase_in_the_app_admits_the_next_turn(stack: Stack) -> None:
    ada = Buyer(stack, "store-ada")
    conversation = await ada.rest.conversation()
    for _ in range(5):
        await ada.rest.turn(conversation)
    refused = await ada.rest.call("POST", f"/v1/{conversation}/messages:send", {"text": "More?"})
    assert refused.status == 402
    await _send(stack, Purchase("store-ada").initial_purchase())
    await until(ada.allowed, "creator")
    assert kind((await ada.rest.turn(conversation))[-1]) == "finished"
    assert await ada.standing() == ("creator", "ACTIVE")
    await until(ada.grants, [10])


@pytest.mark.parametrize("seed", range(3))
async def test_the_order_of_arrival_changes_nothing(stack: Stack, seed: int) -> None:
    """Bought, cancelled, thought over, renewed: whatever comes first, and however often."""
    user = f"store-order-{seed}"
    bob, purchase = Buyer(stack, user), Purchase(user, start=_ago(8))
    events = [
        purchase.initial_purchase(),
        purchase.cancellation(0),
        purchase.uncancellation(0),
        purchase.renewal(1),
    ] * 2
    random.Random(seed).shuffle(events)
    await _send(stack, *events)
    await until(bob.allowed, "creator")
    await until(bob.standing, ("creator", "ACTIVE"))
    await until(bob.grants, [10, 10])
    assert await bob.charges() == [("plans/creator", "PAID")] * 2


async def test_what_is_cancelled_runs_out(stack: Stack) -> None:
    bob = Buyer(stack, "store-bob")
    running, over = Purchase("store-bob", start=_ago(3)), Purchase("store-bob", "pro_week", 3.99, start=_ago(8))
    await _send(stack, running.cancellation(0), running.initial_purchase())
    await until(bob.standing, ("creator", "CANCELLED"))
    await until(bob.grants, [10])
    await _send(stack, over.expiration(0), over.cancellation(0), over.initial_purchase())
    await until(bob.grants, [10, 20])
    assert await bob.standing() == ("creator", "CANCELLED")


async def test_a_refund_in_the_store_takes_back_what_was_given(stack: Stack) -> None:
    eve, purchase = Buyer(stack, "store-eve"), Purchase("store-eve")
    await _send(stack, purchase.initial_purchase())
    await until(eve.credits, 10)
    await _send(stack, purchase.cancellation(0, "CUSTOMER_SUPPORT", -2.99))
    await until(eve.allowed, "free")
    await until(eve.credits, 0)
    await until(eve.charges, [("plans/creator", "REFUNDED")])


@pytest.mark.parametrize("first", ["purchase", "transfer"])
async def test_a_subscription_goes_with_its_transfer(stack: Stack, first: str) -> None:
    giver, taker = Buyer(stack, f"store-giver-{first}"), Buyer(stack, f"store-taker-{first}")
    events = [Purchase(giver.user, start=_ago(1)).initial_purchase(), transfer(giver.user, taker.user, _ago(0))]
    await _send(stack, *(events if first == "purchase" else reversed(events)))
    await until(taker.allowed, "creator")
    await until(giver.allowed, "free")
    # Credits stay with whoever paid for them.
    await until(giver.grants, [10])
    assert await taker.grants() == []


async def test_a_hundred_deliveries_at_once_are_one(stack: Stack) -> None:
    zoe = Buyer(stack, "store-zoe")
    event = Purchase("store-zoe").initial_purchase()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(_send(stack, *[event] * 10))
    await until(zoe.grants, [10])
    await until(zoe.allowed, "creator")
