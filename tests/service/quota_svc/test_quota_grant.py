import asyncio
from uuid import uuid4

import grpc
import pytest

from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import Desk, told

GRANT = quota_pb2.ENTRY_KIND_GRANT
GRANT_CHARGE = quota_pb2.ENTRY_KIND_GRANT_CHARGE
ALLOWANCE_CHARGE = quota_pb2.ENTRY_KIND_ALLOWANCE_CHARGE


async def test_a_grant_is_an_entry(desk: Desk) -> None:
    entry = await desk.grant(20)
    assert entry == quota_pb2.Entry(
        name="users/ann/entries/1", meter="chat", amount=20, kind=GRANT, create_time=desk.clock.now
    )
    assert (await desk.entries()).entries == [entry]


async def test_granted_credit_is_used_after_the_allowance(desk: Desk) -> None:
    await desk.grant(3)
    await desk.settle(await desk.hold(4), 4)
    over = await desk.hold(4)
    meter = await desk.meter()
    assert (meter.limit, meter.granted, meter.used, meter.held, meter.remaining) == (5, 3, 4, 4, 0)
    await desk.settle(over, 3)
    assert [(entry.kind, entry.amount) for entry in (await desk.entries()).entries] == [
        (GRANT_CHARGE, -2),
        (ALLOWANCE_CHARGE, -1),
        (ALLOWANCE_CHARGE, -4),
        (GRANT, 3),
    ]
    desk.clock.forward(days=1)
    meter = await desk.meter()
    assert (meter.limit, meter.granted, meter.used, meter.held, meter.remaining) == (5, 1, 0, 0, 6)


async def test_a_grant_on_a_meter_beside_the_plan_can_be_used(desk: Desk) -> None:
    await desk.grant(2, meter="video")
    await desk.settle(await desk.hold(2, meter="video"), 1)
    assert [meter.meter for meter in (await desk.quota()).meters] == ["chat", "video"]
    assert await desk.meter("video") == quota_pb2.MeterQuota(meter="video", granted=1, remaining=1)


async def test_a_smaller_plan_leaves_granted_credit_usable(desk: Desk) -> None:
    desk.billing.subscribe("ann", "plans/pro")
    await desk.settle(await desk.hold(40), 40)
    await desk.grant(2)
    desk.billing.subscribe("ann", "plans/free")
    desk.clock.forward(seconds=60)
    meter = await desk.meter()
    assert (meter.limit, meter.granted, meter.used, meter.remaining) == (40, 2, 40, 2)
    await desk.hold(2)


async def test_the_same_grant_twenty_times_at_once_grants_once(desk: Desk) -> None:
    request_id = uuid4()
    entries = await asyncio.gather(*(desk.grant(7, request_id=request_id) for _ in range(20)))
    assert [entry == entries[0] for entry in entries] == [True] * 20
    assert (await desk.meter()).granted == 7


@pytest.mark.parametrize(("amount", "meter"), [(8, "chat"), (7, "video")])
async def test_a_request_id_is_refused_to_another_grant(desk: Desk, amount: int, meter: str) -> None:
    request_id = uuid4()
    await desk.grant(7, request_id=request_id)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.grant(amount, meter=meter, request_id=request_id)
    assert told(refusal.value) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")


async def test_a_grant_needs_no_answer_from_billing(desk: Desk) -> None:
    desk.billing.fault = grpc.StatusCode.UNAVAILABLE
    await desk.grant(7)
    desk.billing.fault = None
    desk.billing.subscribe("ann", "plans/ten")
    assert (await desk.meter()).remaining == 17
