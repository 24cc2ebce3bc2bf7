"""`scenemesh sync tmdb` and `scenemesh sync jikan`."""

import uuid
from typing import Annotated

import typer

from cli import client
from cli.client import Client
from cli.failures import ExitCode, reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.sync.watch import Detach, Watch, of_request
from scenemesh.search.v1 import catalog_pb2

MODES = {None: catalog_pb2.MODE_UNSPECIFIED, True: catalog_pb2.MODE_FULL, False: catalog_pb2.MODE_CHANGES}

Full = Annotated[
    bool | None,
    typer.Option("--full/--changes", help="Everything, or what changed since the last time; otherwise what fits."),
]
TitlesMax = Annotated[
    int, typer.Option("--titles-max", min=0, max=100_000, help="At most so many of each kind; 0 for the usual number.")
]


def tmdb(
    full: Full = None,
    titles_max: TitlesMax = 0,
    detach: Detach = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Bring films and series from The Movie Database."""
    with reported(as_json):
        edge = client.somebody(state, url, token, user, Role.OPERATOR)
        code = _brought(edge, catalog_pb2.SOURCE_TMDB, full, titles_max, detach, as_json)
    raise typer.Exit(code)


def jikan(
    full: Full = None,
    titles_max: TitlesMax = 0,
    detach: Detach = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Bring anime from MyAnimeList, through Jikan."""
    with reported(as_json):
        edge = client.somebody(state, url, token, user, Role.OPERATOR)
        code = _brought(edge, catalog_pb2.SOURCE_JIKAN, full, titles_max, detach, as_json)
    raise typer.Exit(code)


def _brought(
    edge: Client, source: catalog_pb2.Source, full: bool | None, titles_max: int, detach: bool, as_json: bool
) -> ExitCode:
    request = catalog_pb2.SyncCatalogRequest(
        source=source, mode=MODES[full], titles_max=titles_max, request_id=str(uuid.uuid4())
    )
    return Watch(edge, as_json).follow(of_request("SyncCatalog", request), detach)
