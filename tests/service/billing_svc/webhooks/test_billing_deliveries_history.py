from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from runtime.errors import ResourceExhausted
from runtime.postgres import Pool
from services.billing_svc.domain.delivery import DeliveryState
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.store import deliveries as store
from services.billing_svc.store.deliveries import Deliveries, Received

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def delivery(name: str, *subjects: str, minutes: int = 0) -> Delivery:
    return Delivery(name, "renewed", NOW + timedelta(minutes=minutes), b"{}", subjects)


async def kept(deliveries: Deliveries, *several: Delivery, provider: Provider = Provider.REVENUECAT) -> None:
    await deliveries.keep(Received(uuid4(), provider, one, NOW) for one in several)


async def test_history_is_in_the_order_of_events_and_not_of_arrival(deliveries: Deliveries) -> None:
    first, second, third = delivery("z", "ann"), delivery("B", "ann", minutes=5), delivery("a", "ann", minutes=5)
    await kept(deliveries, third, first, second)
    assert await deliveries.about(Provider.REVENUECAT, ["ann"]) == [first, second, third]


async def test_history_is_of_everything_that_shares_a_subject(deliveries: Deliveries) -> None:
    moved, bobs = delivery("1", "ann", "bob"), delivery("2", "bob", minutes=1)
    await kept(deliveries, moved, bobs, delivery("3", "cleo", minutes=2))
    await kept(deliveries, delivery("4", "ann"), provider=Provider.CRYPTOMUS)
    assert await deliveries.about(Provider.REVENUECAT, ["bob", "dan"]) == [moved, bobs]
    assert await deliveries.about(Provider.REVENUECAT, []) == []


async def test_what_is_done_or_dead_stays_in_the_history(deliveries: Deliveries) -> None:
    both = [delivery("1", "ann"), delivery("2", "ann", minutes=1)]
    await kept(deliveries, *both)
    for one, state in zip(
        await deliveries.claim(Provider.REVENUECAT, NOW, timedelta(minutes=1), 8),
        (DeliveryState.DONE, DeliveryState.DEAD),
        strict=True,
    ):
        await deliveries.end(one, state, "", NOW)
    assert await deliveries.about(Provider.REVENUECAT, ["ann"]) == both


async def test_more_than_can_be_read_is_refused_and_not_cut_off(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "HISTORY_MAX", 2)
    await kept(deliveries, *[delivery(str(number), "ann") for number in range(2)])
    assert len(await deliveries.about(Provider.REVENUECAT, ["ann"])) == 2
    await kept(deliveries, delivery("2", "ann"))
    with pytest.raises(ResourceExhausted):
        await deliveries.about(Provider.REVENUECAT, ["ann"])


AGED = """
    UPDATE deliveries SET (receive_time, due_time)
        = ($1::timestamptz - event_id::int * interval '1 s', $1::timestamptz - event_id::int * interval '1 s')
    WHERE event_id <> '4'
"""


async def test_a_claim_is_of_what_is_due_and_not_claimed_oldest_first(
    deliveries: Deliveries, connections: Pool
) -> None:
    await kept(deliveries, *[delivery(str(number), "ann") for number in range(5)])
    await connections.execute(AGED, NOW)
    now, lease = NOW - timedelta(microseconds=1), timedelta(minutes=1)
    claims = [await deliveries.claim(Provider.REVENUECAT, now, lease, count) for count in (2, 3, 3)]
    assert [[one.delivery.event_id for one in claimed] for claimed in claims] == [["3", "2"], ["1"], []]
    assert {one.lease for claimed in claims for one in claimed} == {now + lease}
