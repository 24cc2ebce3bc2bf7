from typing import Any

import aiohttp

from cli.local.stripe.pretend import Pretend
from tests.service.pretend_stripe.shop import Shop


async def told(fake: Pretend, path: str, body: Any = None) -> tuple[int, Any]:
    """What is answered to JSON, or to a question where there is no body."""
    async with aiohttp.ClientSession(fake.url) as session:
        method = "GET" if body is None else "POST"
        async with session.request(method, f"/_test{path}", json=body) as answer:
            return answer.status, await answer.json()


async def test_a_whole_life_over_http(shop: Shop) -> None:
    fake = shop.fake
    session = await shop.session("price_pro_month")
    assert await told(fake, f"/checkout/{session.id}/decline", {}) == (200, {"declined": "generic_decline"})
    assert await told(fake, f"/checkout/{session.id}/pay", {}) == (200, {"declined": None})
    name = fake.all("subscription")[0]["id"]
    assert await told(fake, f"/subscriptions/{name}/fail", {"times": 2}) == (200, {})
    assert await told(fake, f"/subscriptions/{name}/renew", {}) == (200, {})
    assert fake.get("subscription", name)["status"] == "past_due"
    status, clock = await told(fake, "/clock", {"advance_seconds": 8 * 86_400})
    assert (status, clock["ahead_seconds"]) == (200, 8 * 86_400)
    assert fake.get("subscription", name)["status"] == "active"
    invoice = shop.latest(name)["id"]
    assert (await told(fake, f"/payments/{invoice}/refund", {"amount": 100}))[1]["amount"] == 100
    dispute = (await told(fake, f"/payments/{invoice}/dispute", {}))[1]["id"]
    assert (await told(fake, f"/disputes/{dispute}/close", {"won": False}))[1]["status"] == "lost"
    customer = fake.get("subscription", name)["customer"]
    assert await told(fake, f"/customers/{customer}/card", {"card": "pm_card_mastercard"}) == (200, {})
    assert await told(fake, f"/subscriptions/{name}/cancel", {}) == (200, {})
    await fake.delivered()
    assert (await told(fake, "/webhooks"))[1]["data"][0]["type"] == "customer.subscription.deleted"
    assert (await told(fake, f"/events/{fake.all('event')[0]['id']}/send", {}))[0] == 200


async def test_faults_are_set_and_shown(fake: Pretend) -> None:
    status, faults = await told(fake, "/faults", {"duplicate": True, "drop_share": 0.5})
    assert (status, faults["duplicate"], faults["drop_share"], faults["shuffle"]) == (200, True, 0.5, False)
    assert (await told(fake, "/faults"))[1] == faults


async def test_what_makes_no_sense_is_refused_with_a_reason(fake: Pretend) -> None:
    assert await told(fake, "/faults", {"nonsense": 1}) == (
        400,
        {"error": {"message": "nonsense: no such fault, or not a value of it"}},
    )
    assert (await told(fake, "/clock", {"advance_seconds": -1}))[0] == 400
    assert (await told(fake, "/clock", [1]))[0] == 400
    assert (await told(fake, "/subscriptions/sub_none/renew", {}))[0] == 404
    assert (await told(fake, "/events/evt_none/send", {}))[0] == 404
