"""What a user was charged."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.effect import grant_id
from services.billing_svc.domain.payment import Line, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from tests.service.billing_svc.servicer.till import OPERATOR, Till, refusal, whoever
from tests.service.billing_svc.shop import MONTH, NOW, paid


def moment(days: int) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(NOW + timedelta(days=days))
    return told


def euros(units: int, cents: int = 0) -> Money:
    return Money(currency_code="EUR", units=units, nanos=cents * 10_000_000)


async def test_an_invoice_is_told_with_what_each_line_gave_and_what_was_taken_back(till: Till) -> None:
    month = Line("il_1", "plans/pro", 1000, Interval.MONTH, NOW, NOW + MONTH, credits=20)
    rest = Line("il_2", "plans/creator", -250, Interval.WEEK, NOW, NOW + MONTH, proration=True)
    charged = paid(
        lines=(rest, month), cents=750, currency="eur", refunded=100, number="A-1", url="https://pay.test/receipt"
    )
    await till.kept(payments=(charged,))
    (told,) = (await till.invoices()).invoices
    assert told == billing_pb2.Invoice(
        name="users/ann/invoices/stripe-in_ann",
        provider=billing_pb2.PROVIDER_STRIPE,
        state=billing_pb2.INVOICE_STATE_PAID,
        amount=euros(7, 50),
        refunded=euros(1),
        create_time=moment(0),
        lines=[
            billing_pb2.InvoiceLine(
                article="plans/creator",
                amount=Money(currency_code="EUR", units=-2, nanos=-500_000_000),
                start_time=moment(0),
                end_time=moment(30),
            ),
            billing_pb2.InvoiceLine(
                article="plans/pro",
                amount=euros(10),
                start_time=moment(0),
                end_time=moment(30),
                credits=20,
                credits_reclaimed=3,
                credit=f"users/ann/credits/{grant_id('stripe', 'in_ann/il_1')}",
            ),
        ],
        number="A-1",
        url="https://pay.test/receipt",
    )


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"state": PaymentState.OPEN, "failed": True}, billing_pb2.INVOICE_STATE_OPEN),
        ({"state": PaymentState.VOID}, billing_pb2.INVOICE_STATE_VOID),
        ({"refunded": 1499}, billing_pb2.INVOICE_STATE_REFUNDED),
        ({"disputed": True}, billing_pb2.INVOICE_STATE_DISPUTED),
        ({"refunded": 1498}, billing_pb2.INVOICE_STATE_PAID),
    ],
    ids=["open", "void", "refunded", "disputed", "refunded in part"],
)
async def test_an_invoice_is_told_as_it_stands(till: Till, how: dict[str, Any], told: billing_pb2.InvoiceState) -> None:
    await till.kept(payments=(paid(**how),))
    assert [one.state for one in (await till.invoices()).invoices] == [told]


async def test_every_invoice_stands_on_one_page_newest_first(till: Till) -> None:
    together = [paid("ann", "packs/small", id=f"pi_{number}", time=NOW) for number in range(4)]
    store = paid(id="t_1", provider=Provider.REVENUECAT, agreement="rc_1", time=NOW)
    older = [paid(id=f"in_{number}", time=NOW - timedelta(days=number)) for number in range(1, 4)]
    bobs = paid("bob")
    await till.kept(payments=(*together, *older, store, bobs))
    found: list[str] = []
    token = ""
    while True:
        page = await till.invoices(page_size=2, page_token=token)
        found += [one.name.rpartition("/")[2] for one in page.invoices]
        token = page.next_page_token
        if not token:
            break
    stripes = [f"stripe-pi_{number}" for number in range(4)]
    assert found == ["revenuecat-t_1", *stripes, "stripe-in_1", "stripe-in_2", "stripe-in_3"]
    assert found == [one.name.rpartition("/")[2] for one in (await till.invoices()).invoices]


async def test_a_token_of_another_query_is_refused(till: Till) -> None:
    await till.kept(payments=(paid(), replace(paid(), id="in_2"), replace(paid("bob"), id="in_3")))
    token = (await till.invoices(page_size=1)).next_page_token
    assert token
    bob = till.by(whoever("bob"))
    assert await refusal(bob.invoices(page_token=token)) == "INVALID_ARGUMENT INVALID_ARGUMENT"
    assert await refusal(till.invoices(page_token="nonsense")) == "INVALID_ARGUMENT INVALID_ARGUMENT"


async def test_anothers_are_not_found_but_an_operator_may_look(till: Till) -> None:
    await till.kept(payments=(paid(),))
    assert await refusal(till.by(whoever("bob")).invoices("users/ann")) == "NOT_FOUND USER_NOT_FOUND"
    assert len((await till.by(OPERATOR).invoices("users/ann")).invoices) == 1
