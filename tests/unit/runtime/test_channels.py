import asyncio

import pytest

from runtime.channels import MARGIN_SECONDS, UNBOUND_SECONDS, policy_seconds, remaining_seconds
from runtime.context import DEADLINE
from scenemesh.quota.v1 import quota_pb2  # noqa: F401 (registers the service)


def test_a_call_gets_no_longer_than_the_contract_gives_it() -> None:
    assert policy_seconds("/scenemesh.quota.v1.QuotaService/Reserve") == 2.0
    assert policy_seconds("/scenemesh.quota.v1.QuotaService/ListEntries") == 5.0
    assert policy_seconds("/grpc.health.v1.Health/Check") == UNBOUND_SECONDS


async def test_a_call_that_serves_none_has_a_limit_of_its_own() -> None:
    assert remaining_seconds() == UNBOUND_SECONDS


@pytest.mark.parametrize(("left_seconds", "given_seconds"), [(10.0, 10.0 - MARGIN_SECONDS), (0.01, 0.0), (-5.0, 0.0)])
async def test_a_call_gets_what_is_left_of_the_one_it_serves(left_seconds: float, given_seconds: float) -> None:
    token = DEADLINE.set(asyncio.get_running_loop().time() + left_seconds)
    try:
        assert remaining_seconds() == pytest.approx(given_seconds, abs=0.01)
    finally:
        DEADLINE.reset(token)
