import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
import stripe

from cli.local.stripe import customers, delivering
from cli.local.stripe.delivering import Deliveries, signature
from cli.local.stripe.faults import Faults
from cli.local.stripe.pretend import Pretend, pretend
from cli.local.stripe.store import Object
from tests.service.pretend_stripe.endpoint import SECRET, Endpoint
from tests.service.pretend_stripe.shop import Shop

EVENTS = 13


async def test_a_signature_is_the_sdks_own() -> None:
    assert signature('{"a": 1}', SECRET, 1_700_000_000) == stripe.WebhookSignature.generate_signature_header(
        '{"a": 1}', SECRET, 1_700_000_000
    )


async def test_an_endpoint_that_is_away_gets_everything_later(shop: Shop, hook: Endpoint) -> None:
    hook.refusals = 5
    await shop.subscribed()
    await shop.fake.delivered()
    assert sorted(hook.copies) == sorted(event["id"] for event in shop.fake.all("event"))
    assert [attempt["status"] for attempt in shop.fake.webhooks].count(500) == 5
    assert all(event["pending_webhooks"] == 0 for event in shop.fake.all("event"))


async def test_each_may_come_twice(shop: Shop, hook: Endpoint) -> None:
    shop.fake.faults(duplicate=True)
    await shop.subscribed()
    await shop.fake.delivered()
    assert list(hook.copies.values()) == [2] * EVENTS


class Pause:
    """Stands in for asyncio's `sleep`: it ends when it is `over`; `asked` are the seconds that it was to last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.over = asyncio.Event()
        self.asked: list[float] = []
        monkeypatch.setattr(delivering, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": self}))

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Pause:
    """What the deliveries wait for by themselves: it is over when the test says so."""
    return Pause(monkeypatch)


async def test_the_order_may_be_lost_and_is_repeated_by_its_seed(hook: Endpoint, plans: Path, pause: Pause) -> None:
    async def order(seed: int) -> list[str]:
        async with pretend(hook.url, SECRET, plans) as fake:
            fake.faults(shuffle=True, seed=seed)
            connections = stripe.AIOHTTPClient(timeout=60)
            client = stripe.StripeClient(fake.key, http_client=connections, base_addresses={"api": fake.url})
            pause.over.set()
            customer = await Shop(fake, client).customer()
            await fake.delivered()
            hook.taken.clear()
            pause.over.clear()
            await Shop(fake, client).subscribed(customer=customer)
            pause.over.set()
            await fake.delivered()
            await connections.close_async()  # type: ignore[no-untyped-call]
            return hook.types

    first = await order(1)
    other = await order(2)
    assert len(first) == EVENTS - 1
    assert await order(1) == first
    assert (sorted(other), other != first) == (sorted(first), True)


async def test_a_share_may_be_lost_for_good(shop: Shop, hook: Endpoint) -> None:
    shop.fake.faults(drop_share=1.0)
    await shop.subscribed()
    await shop.fake.delivered()
    assert hook.taken == []
    assert {attempt["error"] for attempt in shop.fake.webhooks} == {"lost on purpose"}
    shop.fake.faults(drop_share=0.0)
    shop.fake.send_again(shop.fake.all("event")[0]["id"])
    await shop.fake.delivered()
    assert hook.types == ["checkout.session.completed"]


async def test_they_may_come_late(pause: Pause, shop: Shop, hook: Endpoint) -> None:
    shop.fake.faults(delay_ms=30)
    await shop.customer()
    assert hook.taken == []
    pause.over.set()
    await shop.fake.delivered()
    assert pause.asked == [0.03]
    assert hook.types == ["customer.created"]


async def test_a_thin_one_names_its_object_for_the_sdk(shop: Shop, hook: Endpoint) -> None:
    shop.fake.faults(thin=True)
    customer = await shop.customer()
    await shop.fake.delivered()
    (event,) = hook.taken
    assert event["type"] == "v1.customer.created"
    assert event["related_object"] == {"id": customer, "type": "customer", "url": f"/v1/customers/{customer}"}
    notification = stripe.v2.core.EventNotification.from_json(event, shop.client)
    assert (notification.id, notification.livemode) == (shop.fake.all("event")[0]["id"], False)


async def test_nobody_is_told_of_what_was_undone(shop: Shop, hook: Endpoint) -> None:
    name = await shop.subscribed()
    await shop.fake.delivered()
    hook.taken.clear()
    shop.fake.fail(name)
    with pytest.raises(stripe.CardError):
        await shop.change(
            name, "price_max_month", proration_behavior="always_invoice", payment_behavior="error_if_incomplete"
        )
    await shop.fake.delivered()
    assert hook.taken == []


async def test_without_an_address_nobody_is_told(plans: Path) -> None:
    async with pretend(None, SECRET, plans) as fake:
        assert isinstance(fake, Pretend)
        fake.coupon("GIFT", percent_off=100)
        await fake.delivered()
        assert fake.webhooks == []


@pytest.mark.parametrize("fault", [{"nonsense": True}, {"drop_share": 2}, {"duplicate": "yes"}, {"api_lose": -1}])
def test_what_is_no_fault_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Faults().changed(fault)


async def test_what_breaks_beside_the_requests_is_not_hidden(
    plans: Path, hook: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Deliveries) -> list[Object]:
        raise RuntimeError("broken")

    monkeypatch.setattr(Deliveries, "_taken", broken)

    async def told() -> None:
        async with pretend(hook.url, SECRET, plans) as fake:
            with fake.account.store.transaction():
                customers.add(fake.account, None, {})
            await fake.broken.wait()

    with pytest.raises(ExceptionGroup):
        await told()
