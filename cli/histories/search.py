"""`scenemesh conversations search`."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.caller import Caller
from cli.histories.names import conversation
from cli.histories.speakers import Speakers
from cli.options import All
from cli.pages import MORE
from cli.tables import draw, named
from cli.text import cell, clock, printable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub


def search(
    caller: Caller,
    words: Annotated[list[str], typer.Argument(help="What was said, for example 'hound -moor \"the butler\"'.")],
    within: Annotated[str, typer.Option("--in", metavar="CONVERSATION", help="Only in this conversation.")] = "",
    every: All = False,
) -> None:
    """Find what was said by its words, the best match first. -WORD must not be there, "these words" stand together."""
    parent = conversation(within) if within else ""
    request = chat_pb2.SearchMessagesRequest(query=" ".join(words), parent=parent)
    answer = caller.pages(lambda channel: ChatServiceStub(channel).SearchMessages, request, every)
    caller.tell(answer, lambda: _show(answer, Speakers.of(caller, (one.message for one in answer.matches))))


def table(rows: Iterable[chat_pb2.MessageMatch], speakers: Speakers) -> Table:
    drawn = Table("When", "Conversation", "Who", "What", named("Message"))
    for one in rows:
        message = one.message
        title, name = cell(one.conversation_display_name), cell(message.name)
        drawn.add_row(clock(message.create_time), title, cell(speakers.name(message)), _snippet(one), name)
    return drawn


def _snippet(match: chat_pb2.MessageMatch) -> Text:
    """The piece on one line, its matches bold."""
    shown, at = Text(overflow="fold"), 0
    for span in match.highlights:
        shown.append(_line(match.snippet[at : span.start]))
        shown.append(_line(match.snippet[span.start : span.end]), style="bold")
        at = span.end
    return shown.append(_line(match.snippet[at:]))


def _line(text: str) -> str:
    return printable(text).replace("\n", " ").replace("\t", " ")


def _show(answer: chat_pb2.SearchMessagesResponse, speakers: Speakers) -> None:
    if answer.matches:
        draw(table(answer.matches, speakers))
    else:
        typer.echo("Nothing of the kind was said.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)
