"""Who users are to a provider, and the pages that are open for them."""

from dataclasses import replace
from datetime import timedelta

from runtime.postgres import Pool
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.store.checkouts import Checkout, Checkouts
from services.billing_svc.store.customers import Customers
from tests.service.billing_svc.shop import NOW

HOUR = timedelta(hours=1)
STRIPE = Provider.STRIPE
PAGE = Checkout("ann", STRIPE, "cs_1", "plans/pro", Interval.MONTH, 999, NOW, NOW + HOUR)


async def test_the_first_customer_of_a_user_stays(connections: Pool) -> None:
    customers = Customers(connections)
    assert await customers.customer("ann", STRIPE) is None
    assert [await customers.keep("ann", STRIPE, name) for name in ("cus_1", "cus_2")] == ["cus_1", "cus_1"]
    assert (await customers.customer("ann", STRIPE), await customers.user(STRIPE, "cus_1")) == ("cus_1", "ann")
    assert (await customers.user(STRIPE, "cus_2"), await customers.user(Provider.REVENUECAT, "cus_1")) == (None, None)


async def test_a_customer_that_is_gone_is_replaced_once(connections: Pool) -> None:
    customers = Customers(connections)
    await customers.keep("ann", STRIPE, "cus_1")
    assert [await customers.replace("ann", STRIPE, "cus_1", name) for name in ("cus_2", "cus_3")] == ["cus_2", "cus_2"]


async def test_open_pages_for_plans_that_came_before_are_earlier(connections: Pool) -> None:
    checkouts = Checkouts(connections)
    later = replace(PAGE, id="cs_2", create_time=NOW + timedelta(minutes=1))
    pack = replace(PAGE, id="cs_3", article="packs/small", interval=None)
    others = [replace(PAGE, id="cs_4", user="bob"), replace(PAGE, id="cs_5", provider=Provider.CRYPTOMUS)]
    for one in (PAGE, later, pack, *others):
        await checkouts.keep(one)
    assert (await checkouts.earlier(later, NOW), await checkouts.earlier(PAGE, NOW)) == ([PAGE], [])
    assert await checkouts.earlier(later, NOW + HOUR) == []
    await checkouts.forget(PAGE)
    assert await checkouts.earlier(later, NOW) == []


async def test_pages_that_have_closed_are_forgotten_when_the_next_one_opens(connections: Pool) -> None:
    checkouts = Checkouts(connections)
    await checkouts.keep(PAGE)
    later = replace(PAGE, id="cs_2", create_time=NOW + HOUR, expire_time=NOW + 2 * HOUR)
    await checkouts.keep(later)
    assert [row["id"] for row in await connections.fetch("SELECT id FROM checkouts")] == ["cs_2"]
