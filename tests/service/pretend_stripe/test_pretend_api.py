import asyncio
from typing import Any

import aiohttp
import pytest
import stripe

from cli.local.stripe.pretend import Pretend
from tests.service.pretend_stripe.shop import Shop


async def test_nobody_without_the_key_is_answered(fake: Pretend) -> None:
    connections = stripe.AIOHTTPClient()
    client = stripe.StripeClient("sk_test_other", http_client=connections, base_addresses={"api": fake.url})
    with pytest.raises(stripe.AuthenticationError) as refused:
        await client.v1.prices.list_async()
    await connections.close_async()  # type: ignore[no-untyped-call]
    assert (refused.value.http_status, "other" in str(refused.value)) == (401, False)


async def test_what_is_not_there_is_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await shop.client.v1.subscriptions.retrieve_async("sub_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert missing.value.user_message == "No such subscription: 'sub_none'"
    assert missing.value.request_id is not None


async def test_a_path_that_the_api_does_not_have_is_named(fake: Pretend) -> None:
    key = {"Authorization": f"Bearer {fake.key}"}
    async with aiohttp.ClientSession() as session, session.get(f"{fake.url}/v1/topups", headers=key) as answer:
        told = {"type": "invalid_request_error", "message": "Unrecognized request URL (GET: /v1/topups)."}
        assert (answer.status, await answer.json()) == (404, {"error": told})


async def test_a_misspelled_parameter_is_refused(shop: Shop) -> None:
    wrong: Any = {"metdata": {"user_id": "ann"}}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.client.v1.customers.create_async(wrong)
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "metdata")


async def test_prices_come_from_the_plans(shop: Shop) -> None:
    found = await shop.client.v1.prices.list_async({"limit": 100, "expand": ["data.product"]})
    told = {
        price.id: (price.unit_amount, price.recurring and price.recurring.interval, price.product.name)
        for price in found.data
        if isinstance(price.product, stripe.Product)
    }
    assert told == {
        "price_pro_week": (399, "week", "Pro"),
        "price_pro_month": (999, "month", "Pro"),
        "price_pro_month_of_last_year": (999, "month", "Pro"),
        "price_max_month": (1999, "month", "Max"),
        "price_max_year": (24_999, "year", "Max"),
        "price_credits_small": (499, None, "100 credits"),
    }


async def test_a_list_is_read_page_by_page(shop: Shop) -> None:
    made = [await shop.customer(f"user-{number}") for number in range(7)]
    page = await shop.client.v1.customers.list_async({"limit": 3})
    assert ([one.id for one in page.data], page.has_more) == (made[:-4:-1], True)
    everyone = [one.id async for one in page.auto_paging_iter()]
    assert everyone == made[::-1]
    before = await shop.client.v1.customers.list_async({"limit": 2, "ending_before": made[0]})
    assert [one.id for one in before.data] == [made[2], made[1]]
    with pytest.raises(stripe.InvalidRequestError):
        await shop.client.v1.customers.list_async({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await shop.client.v1.customers.list_async({"starting_after": "cus_none"})


async def test_customers_are_found_by_email_and_by_the_time_they_came(shop: Shop) -> None:
    ann = await shop.client.v1.customers.create_async({"email": "Ann@example.com"})
    await shop.client.v1.customers.create_async({"email": "bob@example.com"})
    found = await shop.client.v1.customers.list_async({"email": "ann@example.com"})
    assert [one.id for one in found.data] == [ann.id]
    later = await shop.client.v1.customers.list_async({"created": {"gt": ann.created + 60}})
    assert later.data == []


async def test_metadata_is_merged_and_cleared(shop: Shop) -> None:
    name = await shop.customer("ann")
    changed = await shop.client.v1.customers.update_async(name, {"metadata": {"b": "2"}})
    assert _metadata(changed) == {"user_id": "ann", "b": "2"}
    changed = await shop.client.v1.customers.update_async(name, {"metadata": {"user_id": ""}})
    assert _metadata(changed) == {"b": "2"}


def _metadata(customer: stripe.Customer) -> dict[str, Any]:
    return customer.metadata.to_dict() if customer.metadata is not None else {}


async def test_a_deleted_customer_says_so_and_buys_no_more(shop: Shop) -> None:
    name = await shop.customer()
    subscription = await shop.subscribed(customer=name)
    await shop.client.v1.customers.delete_async(name)
    assert (await shop.client.v1.customers.retrieve_async(name)).to_dict() == {
        "id": name,
        "object": "customer",
        "deleted": True,
    }
    assert shop.fake.get("subscription", subscription)["status"] == "canceled"
    assert (await shop.client.v1.customers.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await shop.session("price_pro_month", name)


async def test_only_what_can_be_expanded_is(shop: Shop) -> None:
    name = await shop.subscribed()
    for paths in (["metadata.nothing"], ["status"], ["latest_invoice.payments.data.payment.payment_intent"]):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            await shop.client.v1.subscriptions.retrieve_async(name, {"expand": paths})


async def test_the_same_request_happens_once(shop: Shop) -> None:
    create = shop.client.v1.customers.create_async
    first = await create({"metadata": {"a": "1"}}, {"idempotency_key": "k"})
    again = await create({"metadata": {"a": "1"}}, {"idempotency_key": "k"})
    assert (again.id, len(shop.fake.all("customer"))) == (first.id, 1)
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError) as other:
        await create({"metadata": {"a": "2"}}, {"idempotency_key": "k"})
    assert other.value.http_status == 400


async def test_a_decline_is_remembered_as_well(shop: Shop) -> None:
    customer = await shop.customer()
    pay: Any = {
        "amount": 499,
        "currency": "usd",
        "customer": customer,
        "payment_method": "pm_card_chargeDeclined",
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await shop.client.v1.payment_intents.create_async(pay, {"idempotency_key": "k"})
    assert len(shop.fake.all("payment_intent")) == 1


async def test_a_request_that_was_refused_for_its_form_may_be_corrected(shop: Shop) -> None:
    wrong: Any = {"mail": "a@example.com"}
    with pytest.raises(stripe.InvalidRequestError):
        await shop.client.v1.customers.create_async(wrong, {"idempotency_key": "k"})
    assert (await shop.client.v1.customers.create_async({}, {"idempotency_key": "k"})).id


async def test_a_second_request_waits_for_nobody(shop: Shop) -> None:
    shop.fake.faults(api_delay_ms=100)
    create = shop.client.v1.customers.create_async
    answers = await asyncio.gather(*(create({}, {"idempotency_key": "k"}) for _ in range(2)), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, stripe.StripeError)]
    bodies: list[Any] = [one.json_body for one in refused]
    assert [one.http_status for one in refused] == [409]
    assert [body["error"]["code"] for body in bodies] == ["idempotency_key_in_use"]
    assert len(shop.fake.all("customer")) == 1


async def test_an_answer_that_was_lost_is_given_again(fake: Pretend) -> None:
    connections = stripe.AIOHTTPClient(timeout=60)
    client = stripe.StripeClient(
        fake.key, http_client=connections, base_addresses={"api": fake.url}, max_network_retries=2
    )
    fake.faults(api_lose=1, api_refuse=1)
    made = await client.v1.customers.create_async({"email": "ann@example.com"})
    await connections.close_async()  # type: ignore[no-untyped-call]
    assert [one["id"] for one in fake.all("customer")] == [made.id]


async def test_events_can_be_read_later(shop: Shop) -> None:
    name = await shop.subscribed()
    found = await shop.client.v1.events.list_async({"type": "customer.subscription.*"})
    assert [one.type for one in found.data] == ["customer.subscription.updated", "customer.subscription.created"]
    one = await shop.client.v1.events.retrieve_async(found.data[0].id)
    assert one.data.object["id"] == name
