"""`python -m services.search_svc` serves search_svc."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import grpc

from runtime import redis
from runtime.events.relay import Relay
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from scenemesh.search.v1 import catalog_pb2_grpc, search_pb2_grpc
from services.search_svc import catalogue
from services.search_svc.announcing import Announcing
from services.search_svc.cache import QueryCache
from services.search_svc.origins import Origins
from services.search_svc.servicer.catalog import SERVICE as CATALOG
from services.search_svc.servicer.catalog import CatalogServicer
from services.search_svc.servicer.search import SERVICE as SEARCH
from services.search_svc.servicer.search import SearchServicer
from services.search_svc.settings import Settings
from services.search_svc.sources.jikan import jikan
from services.search_svc.sources.source import Source
from services.search_svc.sources.tmdb import tmdb
from services.search_svc.store import MIGRATIONS, SCHEMA, Catalogue, Syncs, Uploads, Versions, Work
from services.search_svc.syncing import Syncing
from services.search_svc.versions.activating import Activating
from services.search_svc.versions.building import Building
from services.search_svc.versions.files import Files
from services.search_svc.versions.process import BuildProcess
from services.search_svc.versions.recent import Recent
from services.search_svc.versions.serving import Serving

clock = partial(datetime.now, UTC)


async def main(settings: Settings, shipped: tuple[catalogue.Source, ...]) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    settings.index_directory.mkdir(parents=True, exist_ok=True)
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(settings.redis_url) as live,
        sources(settings) as web,
        asyncio.TaskGroup() as tasks,
    ):
        relay, recent, cache = Relay(connections, live), Recent(live), QueryCache()
        announcing = Announcing(clock, uuid4)
        files, versions = Files(settings.index_directory), Versions(connections, announcing.activated)
        syncs, uploads = Syncs(connections, clock), Uploads(connections, clock)
        origins = Origins(web, uploads.chunks)

        def synced() -> None:
            relay.nudge()
            building.nudge()

        def activated() -> None:
            relay.nudge()
            serving.nudge()

        build = BuildProcess(dsn, settings.index_directory)
        building = Building(versions, files, build, recent.latest, activated, uuid4(), clock)
        serving = Serving(versions, files, building.nudge, clock)
        serving.on_swap(cache.swap)
        syncing = Syncing(Work(connections, clock, announcing.synced), origins.source, uuid4(), synced)

        await Catalogue(connections, clock).bring_in(shipped)
        workers = (relay.run, recent.run, building.run, serving.run, syncing.run)
        background = [tasks.create_task(work()) for work in workers]
        await serving.first()
        search = SearchServicer(serving, cache, recent)
        catalog = CatalogServicer(
            syncs,
            uploads,
            origins,
            syncing.nudge,
            versions,
            Activating(versions, files, activated, clock),
            building.nudge,
            serving,
            cache.statistics,
            clock,
        )

        def register(server: grpc.aio.Server) -> None:
            search_pb2_grpc.add_SearchServiceServicer_to_server(search, server)
            catalog_pb2_grpc.add_CatalogServiceServicer_to_server(catalog, server)

        await serve(settings, "search", register, [SEARCH, CATALOG])
        for task in background:
            task.cancel()


@asynccontextmanager
async def sources(settings: Settings) -> AsyncIterator[list[Source]]:
    """The sources on the web that are configured, while the block runs."""
    async with jikan(settings.jikan_url, clock) as anime:
        if settings.tmdb_key is None:
            yield [anime]
            return
        async with tmdb(settings.tmdb_key, settings.tmdb_url, settings.tmdb_exports_url, clock) as films:
            yield [anime, films]


def read_catalogue() -> tuple[catalogue.Source, ...]:
    """The shipped catalogue; prints every fault of its files as a line and exits with 78 if there is one."""
    try:
        return catalogue.load(catalogue.SHIPPED)
    except catalogue.CatalogueError as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    run("search", settings, partial(main, settings, read_catalogue()))
