"""`scenemesh events dead` and `scenemesh events replay`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.events import decoded, streams
from cli.failures import ExitCode, Failure, reported
from cli.options import STATE_DEFAULT, Json, State
from cli.tables import draw
from cli.text import cell
from runtime.events import dead as letters
from runtime.events.dead import Letter

Id = Annotated[str | None, typer.Argument(metavar="ID", help="A dead letter's id, as `events dead` shows it.")]
All = Annotated[bool, typer.Option("--all", help="Replay every dead letter, or every one of the topic.")]


def dead(
    topic: streams.Topic = None, redis: streams.Url = None, state: State = STATE_DEFAULT, as_json: Json = False
) -> None:
    """List the events that a group of consumers gave up, oldest first."""
    decoded.learn()
    with reported(as_json):
        found = asyncio.run(_found(topic, redis, state))
    if as_json:
        typer.echo(json.dumps({"dead_letters": [_told(letter) for letter in found]}, ensure_ascii=False))
    elif found:
        draw(_table(found))
    else:
        typer.echo("No dead letters.")


def replay(
    letter: Id = None,
    everything: All = False,
    topic: streams.Topic = None,
    redis: streams.Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Put dead letters back into their streams, for the group that gave them up."""
    with reported(as_json):
        if everything == (letter is not None):
            raise Failure("Name one dead letter, or all of them with --all.", ExitCode.USAGE, "INVALID_ARGUMENT")
        replayed = asyncio.run(_replayed(letter, topic, redis, state))
    if as_json:
        typer.echo(json.dumps({"replayed": replayed}))
    else:
        typer.echo(f"{len(replayed)} replayed.")


async def _found(topic: str | None, url: str | None, state: Path) -> list[Letter]:
    async with streams.connected(url, state) as redis:
        topics = [topic] if topic else await letters.topics(redis)
        return [letter for one in topics async for letter in letters.letters(redis, one)]


async def _replayed(identifier: str | None, topic: str | None, url: str | None, state: Path) -> list[str]:
    found = await _found(topic, url, state)
    chosen = [letter for letter in found if identifier in (None, letter.id)]
    if identifier is not None and not chosen:
        hint = "`scenemesh events dead` lists what there is."
        raise Failure(f"There is no dead letter {identifier}.", code="NOT_FOUND", hint=hint)
    async with streams.connected(url, state) as redis:
        return [letter.id for letter in chosen if await letters.replay(redis, letter)]


def _told(letter: Letter) -> dict[str, Any]:
    return {
        "topic": letter.topic,
        "id": letter.id,
        "group": letter.group,
        "error": letter.error,
        "deliveries": letter.deliveries,
        "entry": letter.entry,
        "event": decoded.as_json(letter.payload),
    }


def _table(found: list[Letter]) -> Table:
    table = Table("Id", "Topic", "Group", "Tries", "Error", "Event")
    for letter in found:
        event = decoded.as_json(letter.payload)
        shown = "no event" if event is None else decoded.line(event)
        words = (letter.id, letter.topic, letter.group, str(letter.deliveries), letter.error, shown)
        table.add_row(*map(cell, words))
    return table
