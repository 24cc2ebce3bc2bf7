"""search_svc in process, on a database of its own."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from runtime.postgres import Pool, pool
from scenemesh.search.v1 import search_pb2_grpc
from services.search_svc import catalogue
from services.search_svc.servicer import SERVICE, SearchServicer
from services.search_svc.store import MIGRATIONS, SCHEMA, Store
from tests.harness.serving import Dial, served


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture
async def dial(certificates: Path, connections: Pool) -> AsyncIterator[Dial]:
    store = Store(connections)
    await store.bring_in(catalogue.load(catalogue.SHIPPED))
    register = partial(search_pb2_grpc.add_SearchServiceServicer_to_server, SearchServicer(await store.catalogue()))
    async with served(certificates, "search", register, SERVICE) as dial:
        yield dial
