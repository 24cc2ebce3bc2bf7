"""chat_svc on a database of its own, with siblings and a model provider that do as the test says."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from scenemesh.quota.v1 import quota_pb2_grpc
from scenemesh.search.v1 import search_pb2_grpc
from services.chat_svc.domain.model import Limits, Model, Wire
from tests.fakes.provider import FakeProvider, provider
from tests.harness.serving import served
from tests.service.chat_svc.replica import IDLE_SECONDS, Lapse, Person, Replica, Surroundings, replica
from tests.service.chat_svc.siblings import FakeQuota, FakeSearch

# As long as an answer may be silent.
PATIENT = Limits(IDLE_SECONDS, IDLE_SECONDS)


@pytest.fixture
def quota() -> FakeQuota:
    return FakeQuota()  # type: ignore[abstract]


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    async with provider() as fake:
        yield fake


@pytest.fixture
def claude(fake: FakeProvider) -> Model:
    return Model("claude", Wire.ANTHROPIC, "claude-x", fake.url, 8_000, 500, PATIENT)


@pytest.fixture
def gpt(fake: FakeProvider) -> Model:
    return Model("gpt", Wire.OPENAI, "", f"{fake.url}/v1", 8_000, 500, PATIENT)


@pytest.fixture
async def around(certificates: Path, database: str, redis_url: str, quota: FakeQuota) -> AsyncIterator[Surroundings]:
    quotas = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, quota)
    searches = partial(search_pb2_grpc.add_SearchServiceServicer_to_server, FakeSearch())  # type: ignore[abstract]
    async with (
        served(certificates, "quota", quotas, "scenemesh.quota.v1.QuotaService") as quota_dial,
        served(certificates, "search", searches, "scenemesh.search.v1.SearchService") as search_dial,
    ):
        yield Surroundings(certificates, database, redis_url, quota_dial, search_dial)


@pytest.fixture
async def first(around: Surroundings, claude: Model) -> AsyncIterator[Replica]:
    async with replica(around, [claude]) as first:
        yield first


@pytest.fixture
async def second(around: Surroundings, claude: Model, first: Replica) -> AsyncIterator[Replica]:
    async with replica(around, [claude]) as second:
        yield second


@pytest.fixture
def alice(first: Replica) -> Person:
    return first.person("alice")


@pytest.fixture
async def lapse(database: str) -> AsyncIterator[Lapse]:
    """Lets every lease lapse at once, as time does."""
    connection = await asyncpg.connect(database)

    async def lapse() -> None:
        await connection.execute("UPDATE chat.messages SET lease_until = now() - interval '1 second'")

    yield lapse
    await connection.close()
