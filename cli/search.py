"""`scenemesh search`."""

import asyncio
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.options import STATE_DEFAULT, Json, State, Url
from cli.text import cell, to_json
from scenemesh.search.v1 import search_pb2, search_pb2_grpc


class Kind(StrEnum):
    FILM = "film"
    SERIES = "series"
    ANIME = "anime"
    CHARACTER = "character"


KINDS = {
    Kind.FILM: search_pb2.KIND_FILM,
    Kind.SERIES: search_pb2.KIND_SERIES,
    Kind.ANIME: search_pb2.KIND_ANIME,
    Kind.CHARACTER: search_pb2.KIND_CHARACTER,
}


def search(
    query: Annotated[str, typer.Argument(help="The beginning of a name, or of any word in it.")],
    kinds: Annotated[list[Kind] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="At most so many.")] = 10,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Find films, series, anime and their characters."""
    with reported(as_json):
        answer = asyncio.run(suggest(client.anybody(state, url), query, kinds or (), limit))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    elif answer.suggestions:
        Console().print(table(answer.suggestions))
    else:
        typer.echo("Nothing is called so.", err=True)


async def suggest(client: Client, query: str, kinds: Sequence[Kind], limit: int) -> search_pb2.SuggestResponse:
    """What the query may mean, best first."""
    request = search_pb2.SuggestRequest(query=query, page_size=limit, kinds=[KINDS[kind] for kind in kinds])
    async with client.channel() as channel:
        return await search_pb2_grpc.SearchServiceStub(channel).Suggest(request, timeout=CALL_SECONDS)


def table(suggestions: Sequence[search_pb2.Suggestion]) -> Table:
    drawn = Table("Name", "Kind", "From", "Resource")
    for one in suggestions:
        alias = f" ({one.matched_alias})" if one.matched_alias else ""
        kind = search_pb2.Kind.Name(one.kind).removeprefix("KIND_").lower()
        origin = f"{one.title_display_name}, {one.year}" if one.title_display_name else str(one.year)
        drawn.add_row(cell(one.display_name + alias), kind, cell(origin), cell(one.name))
    return drawn
