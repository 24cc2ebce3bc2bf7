"""`scenemesh conversations list`."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from cli.caller import Caller
from cli.options import All
from cli.pages import MORE
from cli.tables import draw, named
from cli.text import cell, clock
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub


def listing(
    caller: Caller,
    archived: Annotated[bool, typer.Option("--archived", help="Those that are put away, instead.")] = False,
    query: Annotated[str, typer.Option(help="Only those with these words in their title.")] = "",
    character: Annotated[
        str, typer.Option(metavar="CHARACTER", help="Only those with this one: sherlock-holmes, or customCharacters/….")
    ] = "",
    every: All = False,
) -> None:
    """Show your conversations, the one used last first."""
    request = chat_pb2.ListConversationsRequest(archived=archived, query=query, character=_character(character))
    answer = caller.pages(lambda channel: ChatServiceStub(channel).ListConversations, request, every)
    caller.tell(answer, lambda: _show(answer))


def table(rows: Iterable[chat_pb2.Conversation]) -> Table:
    drawn = Table("Used", "Title", "Messages", named("Conversation"))
    for one in rows:
        drawn.add_row(clock(one.update_time), cell(one.display_name), f"{one.message_count:,}", cell(one.name))
    return drawn


def _character(name: str) -> str:
    return name if "/" in name or not name else f"characters/{name}"


def _show(answer: chat_pb2.ListConversationsResponse) -> None:
    if answer.conversations:
        draw(table(answer.conversations))
    else:
        typer.echo("There are none.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)
