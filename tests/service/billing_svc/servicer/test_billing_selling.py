"""Pages where plans and packs are paid for, and packs without one."""

from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from runtime.errors import FailedPrecondition, Unavailable
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.effect import grant_id
from services.billing_svc.domain.plan import Interval, PlanArticle, Provider
from services.billing_svc.payments.provider import Order
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.store import Effects
from tests.service.billing_svc.servicer.desks import ScriptedDesk, ScriptedSeller
from tests.service.billing_svc.servicer.till import MONTH, Till, refusal, whoever
from tests.service.billing_svc.shop import CATALOGUE, NOW, Clock, agreed

PRO = CATALOGUE.plan("pro")
SMALL = CATALOGUE.pack("small")
PRO_MONTH = {"plan": "plans/pro", "interval": MONTH}
CRYPTOMUS = billing_pb2.PROVIDER_CRYPTOMUS


async def test_a_page_for_a_plan_is_stripes_unless_another_provider_is_named(till: Till, stripe: ScriptedDesk) -> None:
    request_id = str(uuid4())
    told = await till.checkout(request_id=request_id, promo_code="SPRING")
    closes = Timestamp()
    closes.FromDatetime(NOW + timedelta(hours=24))
    assert told == billing_pb2.CheckoutSession(
        name="users/ann/checkoutSessions/cs_0", url="https://pay.test/cs_0", expire_time=closes, test_mode=True
    )
    assert PRO is not None
    price = PRO.price(Interval.MONTH)
    assert price is not None
    order = Order(
        "ann",
        PlanArticle(PRO, price),
        f"ann/{request_id}",
        "https://app.test/paid",
        "https://app.test/plans",
        promo_code="SPRING",
    )
    assert stripe.asked == [("checkout", order)]


async def test_a_pack_can_be_bought_at_another_provider_by_who_has_a_plan(
    till: Till, stripe: ScriptedDesk, cryptomus: ScriptedSeller
) -> None:
    await till.kept(agreed())
    await till.checkout(pack="packs/small", provider=CRYPTOMUS)
    ((word, order),) = cryptomus.asked
    assert (word, order.article, stripe.asked) == ("checkout", SMALL, [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"plan": {"plan": "plans/free", "interval": MONTH}}, "NOT_FOUND PLAN_NOT_FOUND"),
        ({"plan": {"plan": "plans/gold", "interval": MONTH}}, "NOT_FOUND PLAN_NOT_FOUND"),
        ({"plan": {"plan": "plans/creator", "interval": MONTH}}, "NOT_FOUND PLAN_NOT_FOUND"),
        ({"pack": "packs/huge"}, "NOT_FOUND PACK_NOT_FOUND"),
        ({"provider": billing_pb2.PROVIDER_LEMON_SQUEEZY}, "FAILED_PRECONDITION PROVIDER_NOT_CONFIGURED"),
        ({"provider": billing_pb2.PROVIDER_REVENUECAT}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
        ({"success_url": "javascript:alert(1)"}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
        ({"cancel_url": "https://app.test/a b"}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
        ({"request_id": "1"}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
        ({"plan": {"plan": "plans/creator", "interval": 1, "trial": True}}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
        ({"plan": {**PRO_MONTH, "trial": True}, "provider": CRYPTOMUS}, "INVALID_ARGUMENT INVALID_ARGUMENT"),
    ],
    ids=str,
)
async def test_what_is_not_on_offer_is_refused_with_the_reason(
    till: Till, stripe: ScriptedDesk, fields: dict[str, object], reason: str
) -> None:
    assert await refusal(till.checkout(**fields)) == reason
    assert stripe.asked == []


@pytest.mark.parametrize("state", [State.ACTIVE, State.TRIALING, State.PAST_DUE, State.PAUSED], ids=str)
@pytest.mark.parametrize("provider", [Provider.STRIPE, Provider.REVENUECAT], ids=str)
async def test_who_has_a_plan_that_renews_buys_no_second_one(till: Till, state: State, provider: Provider) -> None:
    await till.kept(agreed(state=state, provider=provider))
    assert await refusal(till.checkout()) == "FAILED_PRECONDITION SUBSCRIBED"


@pytest.mark.parametrize(
    "had",
    [
        agreed(state=State.CANCELLED),
        agreed(state=State.EXPIRED),
        agreed(provider=Provider.PROMO, state=State.CANCELLED),
    ],
    ids=["cancelled", "over", "a code's"],
)
async def test_who_has_a_plan_that_ends_may_buy_one(till: Till, had: object) -> None:
    await till.kept(had)
    assert (await till.checkout()).name == "users/ann/checkoutSessions/cs_0"


async def test_a_trial_is_had_once_from_whomever_it_was(till: Till, stripe: ScriptedDesk) -> None:
    await till.checkout(plan={**PRO_MONTH, "trial": True})
    assert stripe.asked[0][1].trial_days == 7
    await till.kept(agreed(plan="creator", provider=Provider.REVENUECAT, state=State.EXPIRED, trial=True))
    assert await refusal(till.checkout(plan={**PRO_MONTH, "trial": True})) == "FAILED_PRECONDITION TRIAL_USED"
    await till.checkout()
    assert stripe.asked[-2][1].trial_days == 0


async def test_an_earlier_page_for_a_plan_is_closed(till: Till, stripe: ScriptedDesk, clock: Clock) -> None:
    await till.checkout()
    clock.forward(minutes=1)
    await till.checkout(pack="packs/small")
    await till.by(whoever("bob")).checkout()
    assert "close" not in [asked[0] for asked in stripe.asked]
    clock.forward(minutes=1)
    await till.checkout()
    assert stripe.asked[-1] == ("close", "cs_0")
    clock.forward(hours=25)
    await till.checkout()
    assert [asked for asked in stripe.asked if asked[0] == "close"] == [("close", "cs_0")]


async def test_the_same_request_again_gets_the_same_page_and_opens_none(till: Till, stripe: ScriptedDesk) -> None:
    request_id = str(uuid4())
    first = await till.checkout(request_id=request_id)
    assert await till.checkout(request_id=request_id) == first
    assert len(stripe.asked) == 1
    assert await refusal(till.checkout(request_id=request_id, pack="packs/small")) == "ALREADY_EXISTS REQUEST_ID_REUSED"
    assert await refusal(till.cancel(request_id=request_id)) == "ALREADY_EXISTS REQUEST_ID_REUSED"
    other = await till.by(whoever("bob")).checkout(request_id=request_id)
    assert other.name == "users/bob/checkoutSessions/cs_1"


async def test_a_provider_that_is_away_is_unavailable_and_the_same_request_may_come_again(
    till: Till, stripe: ScriptedDesk
) -> None:
    request_id = str(uuid4())
    stripe.fault = Unavailable("Stripe is away.", reason="PROVIDER_UNAVAILABLE")
    assert await refusal(till.checkout(request_id=request_id)) == "UNAVAILABLE PROVIDER_UNAVAILABLE"
    stripe.fault = None
    assert (await till.checkout(request_id=request_id)).name == "users/ann/checkoutSessions/cs_0"


async def test_the_portal_is_stripes(till: Till, stripe: ScriptedDesk) -> None:
    assert await till.portal() == billing_pb2.PortalSession(url="https://pay.test/portal/ann", test_mode=True)
    stripe.fault = FailedPrecondition("Never paid.", reason="NO_CUSTOMER")
    assert await refusal(till.portal()) == "FAILED_PRECONDITION NO_CUSTOMER"


async def test_a_pack_is_bought_without_a_page_and_its_credits_are_on_their_way(till: Till, effects: Effects) -> None:
    request_id = str(uuid4())
    credit = grant_id("stripe", "pi_0/pack")
    bought = await till.buy(request_id=request_id)
    made = Timestamp()
    made.FromDatetime(NOW)
    amount = Money(currency_code="USD", units=4, nanos=990_000_000)
    assert bought == billing_pb2.Invoice(
        name="users/ann/invoices/stripe-pi_0",
        provider=billing_pb2.PROVIDER_STRIPE,
        state=billing_pb2.INVOICE_STATE_PAID,
        amount=amount,
        refunded=Money(currency_code="USD"),
        create_time=made,
        lines=[
            billing_pb2.InvoiceLine(
                article="packs/small", amount=amount, credits=100, credit=f"users/ann/credits/{credit}"
            )
        ],
    )
    assert await till.buy(request_id=request_id) == bought
    async with effects.line("ann") as line:
        assert line is not None
        assert [(one.effect.id, one.attempts) for one in await line.waiting()] == [(credit, 0)]


@pytest.mark.parametrize("reason", ["NO_PAYMENT_METHOD", "PAYMENT_DECLINED", "AUTHENTICATION_REQUIRED"])
async def test_a_pack_that_cannot_be_charged_for_is_refused_with_the_reason(
    till: Till, stripe: ScriptedDesk, reason: str
) -> None:
    stripe.fault = FailedPrecondition("No.", reason=reason)
    assert await refusal(till.buy()) == f"FAILED_PRECONDITION {reason}"
    assert (await till.invoices()).invoices == []


async def test_a_pack_that_is_not_on_offer_is_not_found(till: Till) -> None:
    assert await refusal(till.buy("packs/huge")) == "NOT_FOUND PACK_NOT_FOUND"


class TestWithoutStripe:
    @pytest.fixture
    def sellers(self, cryptomus: ScriptedSeller) -> Sellers:
        return Sellers(None, [cryptomus])

    async def test_what_needs_it_says_that_it_is_not_set_up(self, till: Till) -> None:
        await till.kept(agreed())
        for call in (till.buy(), till.portal(), till.checkout(pack="packs/small"), till.cancel(), till.pause()):
            assert await refusal(call) == "FAILED_PRECONDITION PROVIDER_NOT_CONFIGURED"
        change = till.change("plans/creator", billing_pb2.INTERVAL_YEAR)
        assert await refusal(change) == "FAILED_PRECONDITION PROVIDER_NOT_CONFIGURED"

    async def test_the_others_sell_all_the_same(self, till: Till) -> None:
        assert (await till.checkout(provider=CRYPTOMUS)).name == "users/ann/checkoutSessions/cs_0"
