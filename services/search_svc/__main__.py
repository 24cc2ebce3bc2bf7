"""`python -m services.search_svc` serves search_svc."""

import sys
from functools import partial

import structlog

from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from scenemesh.search.v1 import search_pb2_grpc
from services.search_svc import catalogue
from services.search_svc.catalogue import Source
from services.search_svc.servicer import SERVICE, SearchServicer
from services.search_svc.settings import Settings
from services.search_svc.store import MIGRATIONS, SCHEMA, Store

log = structlog.get_logger()


async def main(settings: Settings, sources: tuple[Source, ...]) -> None:
    # The index is all that a search needs: the database may go away once it is built.
    async with pool(settings.postgres_dsn.get_secret_value(), schema=SCHEMA, migrations=MIGRATIONS) as connections:
        store = Store(connections)
        log.info("catalogue", brought_in=await store.bring_in(sources))
        servicer = SearchServicer(await store.catalogue())
    register = partial(search_pb2_grpc.add_SearchServiceServicer_to_server, servicer)
    await serve(settings, "search", register, [SERVICE])


def read_catalogue() -> tuple[Source, ...]:
    """The shipped catalogue; prints every fault of its files as a line and exits with 78 if there is one."""
    try:
        return catalogue.load(catalogue.SHIPPED)
    except catalogue.CatalogueError as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    run("search", settings, partial(main, settings, read_catalogue()))
