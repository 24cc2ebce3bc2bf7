"""Syncs on a database of their own, with a clock that the test sets."""

import pytest

from runtime.postgres import Pool
from services.search_svc.store import Syncs
from tests.service.search_svc.syncs.script import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def syncs(connections: Pool, clock: Clock) -> Syncs:
    return Syncs(connections, clock)
