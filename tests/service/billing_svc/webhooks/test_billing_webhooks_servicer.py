import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from runtime.postgres import Pool
from runtime.status import error_info
from scenemesh.billing.v1 import billing_pb2, webhook_pb2
from scenemesh.billing.v1.webhook_pb2_grpc import WebhookServiceStub
from services.billing_svc.domain.delivery import ATTEMPTS_MAX
from services.billing_svc.domain.facts import Facts
from tests.harness.serving import Dial
from tests.service.billing_svc.shop import NOW, Clock, agreed, paid
from tests.service.billing_svc.webhooks.replica import Replica, running
from tests.service.billing_svc.webhooks.scripted import Scripted, event

SIGNED = (("x-signature", "right"),)
OPERATOR = (("x-user-id", "olga"), ("x-user-role", "operator"))
SOMEBODY = (("x-user-id", "ann"), ("x-user-role", "user"))
NOBODY = "webhookDeliveries/00000000-0000-4000-8000-000000000000"


def sent(body: bytes) -> webhook_pb2.ReceiveStripeRequest:
    return webhook_pb2.ReceiveStripeRequest(body=HttpBody(content_type="application/json", data=body))


async def received(dial: Dial, body: bytes, metadata: Any = SIGNED) -> Empty:
    return await WebhookServiceStub(dial("edge")).ReceiveStripe(sent(body), metadata=metadata)


async def listed(dial: Dial, metadata: Any = OPERATOR, **query: Any) -> webhook_pb2.ListWebhookDeliveriesResponse:
    request = webhook_pb2.ListWebhookDeliveriesRequest(**query)
    return await WebhookServiceStub(dial("edge")).ListWebhookDeliveries(request, metadata=metadata)


async def replayed(dial: Dial, name: str, metadata: Any = OPERATOR) -> webhook_pb2.WebhookDelivery:
    request = webhook_pb2.ReplayWebhookDeliveryRequest(name=name)
    return await WebhookServiceStub(dial("edge")).ReplayWebhookDelivery(request, metadata=metadata)


async def test_what_a_provider_sends_is_acknowledged_and_listed(dial: Dial, post: Replica) -> None:
    assert await received(dial, event("evt_1", "ann")) == Empty()
    row = await post.row("evt_1")
    expected = webhook_pb2.WebhookDelivery(
        name=f"webhookDeliveries/{row['id']}",
        provider=billing_pb2.PROVIDER_STRIPE,
        event_id="evt_1",
        event_type="something.happened",
        state=webhook_pb2.DELIVERY_STATE_PENDING,
        receive_time=NOW,
        due_time=NOW,
    )
    assert await listed(dial) == webhook_pb2.ListWebhookDeliveriesResponse(deliveries=[expected])


@pytest.mark.parametrize(
    ("body", "metadata", "code", "reason"),
    [
        (event("evt_1"), (), "UNAUTHENTICATED", "BAD_SIGNATURE"),
        (event("evt_1"), (("x-signature", "wrong"),), "UNAUTHENTICATED", "BAD_SIGNATURE"),
        (b"\xff", SIGNED, "INVALID_ARGUMENT", "BAD_BODY"),
        (event("evt\0_1"), SIGNED, "INVALID_ARGUMENT", "BAD_BODY"),
    ],
)
async def test_what_is_not_sound_is_refused_with_the_reason(
    dial: Dial, body: bytes, metadata: Any, code: str, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await received(dial, body, metadata)
    assert (refusal.value.code().name, error_info(refusal.value).reason) == (code, reason)
    assert not (await listed(dial)).deliveries


@pytest.mark.parametrize("provider", ["RevenueCat", "LemonSqueezy", "Cryptomus"])
async def test_a_provider_that_is_not_configured_is_refused(dial: Dial, provider: str) -> None:
    request = getattr(webhook_pb2, f"Receive{provider}Request")(body=HttpBody(data=event("evt_1")))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await getattr(WebhookServiceStub(dial("edge")), f"Receive{provider}")(request, metadata=SIGNED)
    assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error_info(refusal.value).reason == "PROVIDER_NOT_CONFIGURED"


async def test_one_event_a_hundred_times_at_once_has_one_effect(dial: Dial, post: Replica, stripe: Scripted) -> None:
    stripe.says["ann"] = Facts((agreed(),), (paid(),))
    stub = WebhookServiceStub(dial("edge"))
    async with running(post.processing.run()):
        await asyncio.gather(*[stub.ReceiveStripe(sent(event("evt_1", "ann")), metadata=SIGNED) for _ in range(100)])
        await post.ended("evt_1")
    assert [one.event_id for one in (await listed(dial)).deliveries] == ["evt_1"]
    assert await post.effects() == [("grant", "20"), ("plan", "pro")]


async def test_pages_are_newest_first_and_lead_from_one_to_the_next(dial: Dial, clock: Clock) -> None:
    for number in range(5):
        await received(dial, event(f"evt_{number}"))
        clock.forward(seconds=1)
    seen, token = [], ""
    for _ in range(3):
        page = await listed(dial, page_size=2, page_token=token)
        seen.append([one.event_id for one in page.deliveries])
        token = page.next_page_token
    assert (seen, token) == ([["evt_4", "evt_3"], ["evt_2", "evt_1"], ["evt_0"]], "")


async def test_deliveries_of_one_moment_are_on_one_page_each(dial: Dial) -> None:
    await asyncio.gather(*[received(dial, event(f"evt_{number}")) for number in range(5)])
    seen, token = [], ""
    for _ in range(5):
        page = await listed(dial, page_size=1, page_token=token)
        seen += [one.event_id for one in page.deliveries]
        token = page.next_page_token
    assert (sorted(seen), token) == ([f"evt_{number}" for number in range(5)], "")


async def test_a_page_token_of_another_query_is_refused(dial: Dial) -> None:
    for name in ("evt_1", "evt_2"):
        await received(dial, event(name))
    token = (await listed(dial, page_size=1)).next_page_token
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await listed(dial, page_size=1, page_token=token, state=webhook_pb2.DELIVERY_STATE_PENDING)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_list_may_be_of_one_state_and_one_provider(
    dial: Dial, post: Replica, stripe: Scripted, connections: Pool
) -> None:
    stripe.says["ann"] = Facts((agreed(),))
    await received(dial, event("evt_done", "ann"))
    await received(dial, event("evt_ignored", "nobody"))
    async with running(post.processing.run()):
        await post.ended("evt_done", "evt_ignored")
    await received(dial, event("evt_pending"))
    await connections.execute("UPDATE deliveries SET provider = 'cryptomus' WHERE event_id = 'evt_ignored'")

    async def found(**query: Any) -> set[str]:
        return {one.event_id for one in (await listed(dial, **query)).deliveries}

    assert await found() == {"evt_done", "evt_ignored", "evt_pending"}
    assert await found(state=webhook_pb2.DELIVERY_STATE_DONE) == {"evt_done"}
    assert await found(state=webhook_pb2.DELIVERY_STATE_DEAD) == set()
    assert await found(provider=billing_pb2.PROVIDER_STRIPE) == {"evt_done", "evt_pending"}
    assert await found(provider=billing_pb2.PROVIDER_CRYPTOMUS, state=webhook_pb2.DELIVERY_STATE_PENDING) == set()


async def test_a_dead_delivery_is_replayed_from_the_beginning_of_its_attempts(
    dial: Dial, post: Replica, stripe: Scripted, connections: Pool, clock: Clock
) -> None:
    stripe.says["ann"] = Facts((agreed(),), (paid(),))
    await received(dial, event("evt_1", "ann"))
    await connections.execute("UPDATE deliveries SET attempts = $1", ATTEMPTS_MAX - 1)

    async def broken(delivery: object) -> None:
        raise ValueError

    stripe.before = broken
    async with running(post.processing.run()):
        await post.ended("evt_1")
    (dead,) = (await listed(dial)).deliveries
    assert (dead.state, dead.attempts) == (webhook_pb2.DELIVERY_STATE_DEAD, ATTEMPTS_MAX)

    stripe.before = None
    clock.now += timedelta(days=1)
    again = await replayed(dial, dead.name)
    assert (again.state, again.attempts) == (webhook_pb2.DELIVERY_STATE_PENDING, 0)
    assert (again.due_time.ToDatetime(clock.now.tzinfo), again.HasField("end_time")) == (clock.now, False)
    async with running(post.processing.run()):
        await post.ended("evt_1")
    (done,) = (await listed(dial)).deliveries
    assert (done.state, done.attempts, done.detail) == (webhook_pb2.DELIVERY_STATE_DONE, 1, "")


async def test_what_is_done_may_be_replayed_and_changes_nothing(dial: Dial, post: Replica, stripe: Scripted) -> None:
    stripe.says["ann"] = Facts((agreed(),), (paid(),))
    await received(dial, event("evt_1", "ann"))
    async with running(post.processing.run()):
        await post.ended("evt_1")
        (done,) = (await listed(dial)).deliveries
        await replayed(dial, done.name)
        await post.ended("evt_1")
    assert stripe.asked["evt_1"] == 2
    assert (await post.effects(), await post.told()) == ([("grant", "20"), ("plan", "pro")], 2)


async def test_a_delivery_that_never_came_cannot_be_replayed(dial: Dial) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await replayed(dial, NOBODY)
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert error_info(refusal.value).reason == "DELIVERY_NOT_FOUND"


async def test_operators_alone_see_and_replay_deliveries(dial: Dial) -> None:
    for call in (listed(dial, SOMEBODY), replayed(dial, NOBODY, SOMEBODY)):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call
        assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED
