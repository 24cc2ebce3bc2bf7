"""`scenemesh search`."""

import asyncio
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.options import STATE_DEFAULT, Json, State, Url
from cli.tables import draw, named
from cli.text import cell, printable, to_json, word
from scenemesh.search.v1 import search_pb2, search_pb2_grpc


class Kind(StrEnum):
    FILM = "film"
    SERIES = "series"
    ANIME = "anime"
    CARTOON = "cartoon"
    CHARACTER = "character"
    ACTOR = "actor"


KINDS = {
    Kind.FILM: search_pb2.KIND_FILM,
    Kind.SERIES: search_pb2.KIND_SERIES,
    Kind.ANIME: search_pb2.KIND_ANIME,
    Kind.CARTOON: search_pb2.KIND_CARTOON,
    Kind.CHARACTER: search_pb2.KIND_CHARACTER,
    Kind.ACTOR: search_pb2.KIND_ACTOR,
}


def search(
    query: Annotated[str, typer.Argument(help="The beginning of a name, or of any word in it.")],
    kinds: Annotated[list[Kind] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    year_min: Annotated[int, typer.Option(min=0, max=9999, help="Only what came out in this year or later.")] = 0,
    year_max: Annotated[int, typer.Option(min=0, max=9999, help="Only what came out in this year or earlier.")] = 0,
    adult: Annotated[bool, typer.Option("--adult", help="What is for adults only, too.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each one ranks where it does.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50, help="At most so many.")] = 10,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Find films, series, anime, cartoons, their characters and who played them."""
    request = search_pb2.SuggestRequest(
        query=query,
        page_size=limit,
        filter=search_pb2.EntryFilter(
            kinds=[KINDS[kind] for kind in kinds or ()], year_min=year_min, year_max=year_max, include_adult=adult
        ),
        explain=explain,
    )
    with reported(as_json):
        answer = asyncio.run(suggest(client.anybody(state, url), request))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    elif answer.suggestions:
        draw(table(answer.suggestions, explain=explain))
    else:
        typer.echo("Nothing is called so.", err=True)


async def suggest(client: Client, request: search_pb2.SuggestRequest) -> search_pb2.SuggestResponse:
    """What the query may mean, best first."""
    async with client.channel() as channel:
        return await search_pb2_grpc.SearchServiceStub(channel).Suggest(request, timeout=CALL_SECONDS)


def table(suggestions: Sequence[search_pb2.Suggestion], *, explain: bool = False) -> Table:
    """What matched is bold; with `explain`, every row says what its score is made of."""
    drawn = Table("Name", "Kind", "From", named("Resource"), *(["Score"] if explain else []))
    for one in suggestions:
        year = str(one.year) if one.year else ""
        origin = ", ".join(filter(None, (one.title_display_name, year)))
        score = [cell(_score(one.score))] if explain else []
        drawn.add_row(_name(one), word(one, "kind", "KIND_"), cell(origin), cell(one.name), *score)
    return drawn


def _name(suggestion: search_pb2.Suggestion) -> Text:
    """The name, behind it in brackets the alias or the actor that matched instead of it."""
    other = suggestion.matched_alias or suggestion.matched_actor
    pieces = [(printable(piece.text), "bold" if piece.matched else "") for piece in suggestion.segments]
    if not other:
        return Text.assemble(*pieces, overflow="fold") if pieces else cell(suggestion.display_name)
    return Text.assemble(
        cell(suggestion.display_name), " (", *(pieces or [(printable(other), "")]), ")", overflow="fold"
    )


def _score(score: search_pb2.Score) -> str:
    """`71.5 = 50 exact name + 30.5 popularity - 9 for 1 typo`."""
    typos = "1 typo" if score.typos == 1 else f"{score.typos} typos"
    parts = f"{_number(score.match_points)} {word(score, 'match', 'MATCH_').replace('_', ' ')}"
    for points, name in (
        (score.popularity_points, "popularity"),
        (score.typo_points, f"for {typos}"),
        (score.missing_points, "missing"),
    ):
        if points:
            parts += f" {'-' if points < 0 else '+'} {_number(abs(points))} {name}"
    return f"{_number(score.total)} = {parts}"


def _number(points: float) -> str:
    return f"{points:.1f}".removesuffix(".0")
