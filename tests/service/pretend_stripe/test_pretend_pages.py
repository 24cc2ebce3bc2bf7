import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from cli.local.stripe.pretend import Pretend
from tests.service.pretend_stripe.shop import DAY, Shop


@pytest.fixture
async def browser(fake: Pretend) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(fake.url) as session:
        yield session


async def seen(browser: aiohttp.ClientSession, path: str) -> str:
    """The text of a page, with its tags but without what is between the heads' ones."""
    async with browser.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def pressed(browser: aiohttp.ClientSession, path: str, **values: str) -> str:
    """Where a button leads."""
    async with browser.post(path, data=values, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]


async def test_a_buyer_is_told_what_it_is_and_that_no_money_moves(shop: Shop, browser: aiohttp.ClientSession) -> None:
    session = await shop.session(
        "price_pro_month", subscription_data={"trial_period_days": 7}, allow_promotion_codes=True
    )
    page = await seen(browser, f"/pay/{session.id}")
    for words in ("TEST MODE", "Pro x 1", "$9.99 every month", "Free until", "Pay $0.00", "Promotion code", "Go back"):
        assert words in page
    assert "<script" not in page


async def test_paying_leads_back_to_the_shop(shop: Shop, browser: aiohttp.ClientSession) -> None:
    session = await shop.session("price_pro_month")
    path = f"/pay/{session.id}"
    declined = await pressed(browser, path, card="pm_card_chargeDeclined")
    assert "Your card was declined" in await seen(browser, declined)
    assert await pressed(browser, path, card="pm_card_visa") == f"https://app.invalid/paid?session={session.id}"
    assert "It is paid" in await seen(browser, path)
    assert await pressed(browser, path, card="pm_card_visa") == path
    assert len(shop.fake.all("subscription")) == 1


async def test_a_code_that_is_typed_lowers_what_is_due(shop: Shop, browser: aiohttp.ClientSession) -> None:
    session = await shop.session("price_pro_month", allow_promotion_codes=True)
    wrong = await pressed(browser, f"/pay/{session.id}/code", code="NONE")
    assert "no such promotion code" in await seen(browser, wrong)
    page = await seen(browser, await pressed(browser, f"/pay/{session.id}/code", code="welcome50"))
    assert "Pay $4.99" in page
    await pressed(browser, f"/pay/{session.id}", card="pm_card_visa")
    assert shop.fake.all("invoice")[0]["total"] == 499


async def test_the_portal_cancels_keeps_and_changes_the_card(shop: Shop, browser: aiohttp.ClientSession) -> None:
    customer = await shop.customer()
    name = await shop.subscribed(customer=customer)
    opened = await shop.client.v1.billing_portal.sessions.create_async(
        {"customer": customer, "return_url": "https://app.invalid/account"}
    )
    path = opened.url.removeprefix(shop.fake.url)
    page = await seen(browser, path)
    for words in ("$9.99 every month", "Renews on", "visa ···· 4242", "https://app.invalid/account", "-0001"):
        assert words in page
    await pressed(browser, f"{path}/{name}/cancel")
    assert shop.fake.get("subscription", name)["cancel_at_period_end"] is True
    assert "Keep the plan" in await seen(browser, path)
    await pressed(browser, f"{path}/{name}/resume")
    assert shop.fake.get("subscription", name)["cancel_at"] is None
    await pressed(browser, f"{path}/card", card="pm_card_chargeCustomerFail")
    shop.fake.renew(name)
    assert shop.fake.get("subscription", name)["status"] == "past_due"
    await pressed(browser, f"{path}/card", card="pm_card_visa")
    assert shop.fake.get("subscription", name)["status"] == "active"
    shop.fake.advance(DAY)
    async with browser.get(path) as answer:
        assert answer.status == 404


async def test_nobody_changes_what_is_anothers_in_the_portal(shop: Shop, browser: aiohttp.ClientSession) -> None:
    other = await shop.subscribed()
    opened = await shop.client.v1.billing_portal.sessions.create_async({"customer": await shop.customer("bob")})
    await pressed(browser, f"{opened.url.removeprefix(shop.fake.url)}/{other}/cancel")
    assert shop.fake.get("subscription", other)["cancel_at_period_end"] is False


async def test_an_invoice_and_a_receipt_have_their_pages(shop: Shop, browser: aiohttp.ClientSession) -> None:
    name = await shop.subscribed(discounts=[{"promotion_code": "promo_welcome50"}])
    invoice = shop.latest(name)
    page = await seen(browser, str(invoice["hosted_invoice_url"]).removeprefix(shop.fake.url))
    for words in (invoice["number"], "Pro", "−$5.00", "$4.99", "paid"):  # noqa: RUF001 (a minus)
        assert words in page
    charge = shop.fake.all("charge")[0]
    shop.fake.refund(charge["id"], 100)
    assert "−$1.00" in await seen(browser, charge["receipt_url"].removeprefix(shop.fake.url))  # noqa: RUF001


async def test_an_unpaid_invoice_is_paid_on_its_page(shop: Shop, browser: aiohttp.ClientSession) -> None:
    name = await shop.subscribed()
    shop.fake.fail(name)
    shop.fake.renew(name)
    path = f"/invoice/{shop.latest(name)['id']}"
    assert "Pay now" in await seen(browser, path)
    await pressed(browser, f"{path}/pay")
    assert (shop.latest(name)["status"], shop.fake.get("subscription", name)["status"]) == ("paid", "active")


async def test_every_button_of_the_operators_page_works(shop: Shop, browser: aiohttp.ClientSession) -> None:
    await shop.subscribed()
    await shop.session("price_credits_small")
    shop.fake.dispute(shop.fake.all("charge")[0]["id"])
    await shop.subscribed("price_max_month")
    await shop.fake.delivered()
    page = await seen(browser, "/")
    for words in (
        "ann",
        "price_pro_month",
        "Next renewal now",
        "Let the next payment fail",
        "Refund",
        "Dispute",
        "WELCOME50",
    ):
        assert words in page
    forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', page)
    assert len({re.sub(r"[a-z]+_(test_)?[A-Za-z0-9]{14,}", "{id}", action) for action, _ in forms}) == 9
    for action, inside in forms:
        values = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', inside))
        async with browser.post(action, data=values, allow_redirects=False) as answer:
            # Some say no because another one was pressed before; none breaks.
            assert answer.status in (303, 400, 404), action
    await seen(browser, "/")


async def test_what_is_written_into_a_name_stays_text(shop: Shop, browser: aiohttp.ClientSession) -> None:
    evil = "<script>alert('x')</script>\"><img src=x>"
    customer = await shop.client.v1.customers.create_async({"email": evil, "metadata": {"user_id": evil}})
    session = await shop.session("price_pro_month", customer.id, client_reference_id=evil)
    pages = [await seen(browser, "/"), await seen(browser, f"/pay/{session.id}?problem={evil}")]
    shop.fake.pay(session.id)
    invoice = shop.fake.all("invoice")[0]["id"]
    pages += [await seen(browser, "/"), await seen(browser, f"/invoice/{invoice}")]
    assert not any("<script" in page or "<img" in page for page in pages)


async def test_pages_run_nothing_and_are_framed_by_nobody(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    assert ".ribbon" in await seen(browser, "/style.css")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.invalid"}]
)
async def test_another_sites_page_presses_no_buttons(
    fake: Pretend, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with browser.post("/_test/clock", data={"advance_seconds": "3600"}, headers=headers) as answer:
        assert answer.status == 403
    assert fake.account.clock.ahead_seconds == 0


async def test_what_is_not_there_is_a_page_too(browser: aiohttp.ClientSession) -> None:
    for path in ("/pay/cs_none", "/portal/bps_none", "/invoice/in_none", "/receipt/ch_none"):
        async with browser.get(path) as answer:
            assert (answer.status, "There is no such page" in await answer.text()) == (404, True)
