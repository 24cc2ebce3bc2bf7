"""A quota as of an instant that is over: what was answered then is answered again, whatever happened since."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import Desk, reason

# It stops wherever a look is taken.
Happening = AsyncIterator[None]


async def voided(desk: Desk) -> Happening:
    hold = await desk.hold(2)
    yield
    await desk.void(hold)
    yield


async def expired(desk: Desk) -> Happening:
    await desk.hold(2, seconds=60)
    yield
    desk.clock.forward(minutes=2)
    yield
    await desk.sweeping.sweep()


async def adjusted(desk: Desk) -> Happening:
    credit = await desk.grant(3)
    yield
    await desk.adjust(-3, credit=credit.name)
    yield
    await desk.adjust(-9)
    yield
    await desk.adjust(6)


async def charged_beyond(desk: Desk) -> Happening:
    hold = await desk.hold(1, seconds=600, overage=quota_pb2.OVERAGE_AVAILABLE)
    yield
    await desk.settle(hold, 9)
    yield
    await desk.grant(1)


async def scheduled(desk: Desk) -> Happening:
    start = desk.clock.now + timedelta(minutes=5)
    await desk.grant(3, start_time=start, expire_time=start + timedelta(minutes=5), rollover=1)
    yield
    desk.clock.now = start
    yield
    await desk.settle(await desk.hold(1), 1)
    yield
    desk.clock.forward(minutes=5)
    yield
    desk.clock.forward(minutes=5)


async def slept(desk: Desk) -> Happening:
    await desk.settle(await desk.hold(2), 2)
    yield
    desk.clock.forward(days=3)
    yield
    await desk.settle(await desk.hold(1), 1)


async def rolled(desk: Desk) -> Happening:
    await desk.set_plan("plans/odd")
    yield
    await desk.settle(await desk.hold({"chat": 2, "video": 3}), {"chat": 2, "video": 3})
    yield
    desk.clock.forward(hours=4)
    yield
    await desk.sweeping.sweep()
    desk.clock.forward(days=14)


async def forgot(desk: Desk) -> Happening:
    await desk.settle(await desk.hold(3), 3)
    yield
    await desk.set_plan("plans/ten", usage=quota_pb2.USAGE_RULE_RESET)
    yield
    await desk.set_plan("plans/pro")


async def moved(desk: Desk) -> Happening:
    hold = await desk.hold(2, seconds=7200)
    yield
    await desk.set_plan("plans/ten")
    yield
    await desk.settle(hold, 1)


@pytest.mark.parametrize(
    "happens",
    [voided, expired, adjusted, charged_beyond, scheduled, slept, rolled, forgot, moved],
    ids=lambda happens: happens.__name__,
)
async def test_what_happens_later_does_not_change_what_was(desk: Desk, happens: Callable[[Desk], Happening]) -> None:
    answered: dict[datetime, quota_pb2.Quota] = {}

    async def look() -> None:
        answered[desk.clock.now] = await desk.quota()
        desk.clock.forward(seconds=1)

    await desk.grant(2, expire_time=desk.clock.now + timedelta(days=2))
    await look()
    async for _ in happens(desk):
        await look()
    await look()
    await desk.grant(3)
    await desk.settle(await desk.hold(1), 1)
    await look()
    desk.clock.forward(days=5)
    await look()
    await desk.sweeping.sweep()
    for moment, then in answered.items():
        assert await desk.quota(at=moment) == then, moment


async def test_an_instant_before_the_account_is_one_of_an_empty_account(desk: Desk) -> None:
    await desk.settle(await desk.hold(2), 2)
    for moment in (datetime(2020, 2, 29, 23, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)):
        quota = await desk.quota(at=moment)
        assert (quota.plan, quota.meters[0].used, quota.meters[0].remaining) == ("plans/free", 0, 5)


async def test_the_past_of_a_service_that_looks_on_is_open_to_it_and_the_future_to_nobody(desk: Desk) -> None:
    await desk.grant(1)
    now = desk.clock.now
    desk.clock.forward(hours=1)
    request = quota_pb2.GetQuotaRequest(name="users/ann/quota", read_time=now)
    assert await desk.chat.GetQuota(request) == await desk.quota(at=now)
    late = quota_pb2.GetQuotaRequest(name="users/ann/quota", read_time=desk.clock.now + timedelta(microseconds=1))
    assert await reason(desk.chat.GetQuota(late)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
