"""search_svc in process: its database for what keeps something, an index for what answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.postgres import Pool, pool
from scenemesh.search.v1 import search_pb2_grpc
from services.search_svc import catalogue
from services.search_svc.index.index import Index
from services.search_svc.servicer.search import SERVICE, SearchServicer
from services.search_svc.store import MIGRATIONS, SCHEMA
from tests.harness.serving import Dial, served
from tests.service.search_svc.answering import EXTRA, VERSION, InService, built

if TYPE_CHECKING:
    from scenemesh.search.v1.search_pb2_grpc import SearchServiceAsyncStub


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    shipped = (title for source in catalogue.load(catalogue.SHIPPED) for title in source.titles)
    return built([*shipped, *EXTRA], tmp_path_factory.mktemp("index"), VERSION)


@pytest.fixture
def serving(index: Index) -> InService:
    serving = InService(index)
    serving.swap(index)
    return serving


@pytest.fixture
async def dial(certificates: Path, serving: InService) -> AsyncIterator[Dial]:
    """SearchService; it needs no database."""
    servicer = SearchServicer(serving, serving.cache, serving)
    register = partial(search_pb2_grpc.add_SearchServiceServicer_to_server, servicer)
    async with served(certificates, "search", register, SERVICE) as dial:
        yield dial


@pytest.fixture
def stub(dial: Dial) -> SearchServiceAsyncStub:
    return search_pb2_grpc.SearchServiceStub(dial("edge"))
