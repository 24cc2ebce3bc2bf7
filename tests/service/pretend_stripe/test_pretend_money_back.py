from typing import Any

import pytest
import stripe

from tests.service.pretend_stripe.endpoint import Endpoint
from tests.service.pretend_stripe.shop import Shop


async def paid(shop: Shop) -> str:
    session = await shop.session("price_credits_small")
    assert shop.fake.pay(session.id) is None
    return str(shop.fake.get("checkout.session", session.id)["payment_intent"])


async def charge(shop: Shop, payment: str) -> stripe.Charge:
    found = await shop.client.v1.charges.list_async({"payment_intent": payment, "expand": ["data.refunds"]})
    return found.data[0]


async def test_a_part_goes_back_and_then_the_rest(shop: Shop, hook: Endpoint) -> None:
    payment = await paid(shop)
    part = await shop.client.v1.refunds.create_async({"payment_intent": payment, "amount": 100})
    found = await charge(shop, payment)
    assert (part.status, found.amount_refunded, found.refunded) == ("succeeded", 100, False)
    await shop.client.v1.refunds.create_async({"charge": found.id})
    found = await charge(shop, payment)
    assert found.refunds is not None
    assert (found.amount_refunded, found.refunded, len(found.refunds.data)) == (499, True, 2)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.client.v1.refunds.create_async({"charge": found.id})
    assert refused.value.code == "charge_already_refunded"
    await shop.fake.delivered()
    assert hook.types[-4:] == ["charge.refunded", "refund.created"] * 2


async def test_more_than_was_paid_does_not_go_back(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await shop.client.v1.refunds.create_async({"payment_intent": await paid(shop), "amount": 500})


@pytest.mark.parametrize(
    ("won", "status", "last"),
    [(True, "won", "charge.dispute.funds_reinstated"), (False, "lost", "charge.dispute.closed")],
)
async def test_a_dispute_takes_the_money_and_may_bring_it_back(
    shop: Shop, hook: Endpoint, won: bool, status: str, last: str
) -> None:
    payment = await paid(shop)
    begun = shop.fake.dispute(payment)
    assert (begun["status"], begun["amount"], (await charge(shop, payment)).disputed) == ("needs_response", 499, True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.client.v1.refunds.create_async({"payment_intent": payment})
    assert refused.value.code == "charge_disputed"
    shop.fake.close_dispute(begun["id"], won=won)
    found = await shop.client.v1.disputes.list_async({"payment_intent": payment})
    assert [one.status for one in found.data] == [status]
    # Who wants to know how it ended reads the dispute: the charge says no more than that there was one.
    assert (await charge(shop, payment)).disputed is True
    await shop.fake.delivered()
    assert hook.types[-1] == last


async def test_an_invoice_is_found_by_its_payment(shop: Shop) -> None:
    name = await shop.subscribed()
    payments = await shop.client.v1.invoice_payments.list_async({"invoice": shop.latest(name)["id"]})
    intent: Any = payments.data[0].payment.payment_intent
    again = await shop.client.v1.invoice_payments.list_async(
        {"payment": {"type": "payment_intent", "payment_intent": intent}}
    )
    assert [one.invoice for one in again.data] == [shop.latest(name)["id"]]
    shop.fake.refund(shop.latest(name)["id"])
    assert (await charge(shop, intent)).refunded is True


async def test_a_customers_card_is_charged_while_nobody_is_there(shop: Shop) -> None:
    customer = await shop.customer()
    pay: Any = {"amount": 499, "currency": "usd", "customer": customer, "confirm": True, "off_session": True}
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await shop.client.v1.payment_intents.create_async(pay)
    seen: list[tuple[str, str | None]] = []
    for card in ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"):
        method = await shop.client.v1.payment_methods.attach_async(card, {"customer": customer})
        pay["payment_method"] = method.id
        try:
            seen.append(((await shop.client.v1.payment_intents.create_async(pay)).status, ""))
        except stripe.CardError as error:
            assert error.error is not None
            assert error.error.payment_intent is not None
            seen.append((error.error.payment_intent.status, error.code))
    assert seen == [
        ("succeeded", ""),
        ("requires_payment_method", "card_declined"),
        ("requires_payment_method", "authentication_required"),
    ]


async def test_a_card_of_somebody_else_is_no_way_of_paying(shop: Shop) -> None:
    method = await shop.client.v1.payment_methods.attach_async("pm_card_visa", {"customer": await shop.customer()})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.client.v1.payment_intents.create_async(
            {
                "amount": 499,
                "currency": "usd",
                "customer": await shop.customer("bob"),
                "payment_method": method.id,
                "confirm": True,
            }
        )
    assert refused.value.http_status == 404
