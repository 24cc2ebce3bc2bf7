"""What is paid for beside turns, where it turns out to be more than was held."""

from uuid import uuid4

import pytest

from runtime.errors import QuotaExhausted
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.media.tolls import Tolls
from tests.service.chat_svc.replica import Surroundings
from tests.service.chat_svc.siblings import FakeQuota

HELD, RELEASED = quota_pb2.HOLD_STATE_HELD, quota_pb2.HOLD_STATE_RELEASED


async def test_a_hold_is_raised_as_if_it_had_been_known_before(around: Surroundings, quota: FakeQuota) -> None:
    async with around.connect("quota") as channel:
        tolls = Tolls(channel, uuid4)
        toll = await tolls.hold("alice", "transcription", 8)
        assert await tolls.raised(toll, "alice", 8) is toll
        more = await tolls.raised(toll, "alice", 10)
        assert (more.units, quota.states(), quota.others["transcription"]) == (10, [RELEASED, HELD], 0)
        with pytest.raises(QuotaExhausted):
            await tolls.raised(more, "alice", 11)
        assert (quota.states(), quota.others["transcription"]) == ([RELEASED, RELEASED], 10)


async def test_while_the_ledger_is_away_the_hold_stays_what_it_was_and_costs_nothing(
    around: Surroundings, quota: FakeQuota
) -> None:
    async with around.connect("quota") as channel:
        tolls = Tolls(channel, uuid4)
        toll = await tolls.hold("alice", "transcription", 1)
        quota.away = True
        assert await tolls.raised(toll, "alice", 6) is toll
        assert await tolls.charge(toll, 6, "media/1", "ears") == 0
    assert quota.charges() == []
