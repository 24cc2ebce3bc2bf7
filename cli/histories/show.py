"""`scenemesh conversations show`."""

from collections.abc import Iterator
from typing import Annotated

import typer

from cli.caller import Caller
from cli.histories.names import Named, conversation
from cli.histories.speakers import Speakers
from cli.text import clock, printable, word
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub


def show(
    caller: Caller,
    name: Named,
    every: Annotated[bool, typer.Option("--all", help="Every branch, not only the chosen one.")] = False,
) -> None:
    """Show what was said, oldest first."""
    request = chat_pb2.ListMessagesRequest(parent=conversation(name), all_branches=every)
    answer = caller.pages(lambda channel: ChatServiceStub(channel).ListMessages, request, every=True)
    caller.tell(answer, lambda: _show(answer, Speakers.of(caller, answer.messages)))


def _show(answer: chat_pb2.ListMessagesResponse, speakers: Speakers) -> None:
    if not answer.messages:
        typer.echo("Nothing has been said yet.", err=True)
    for one in answer.messages:
        typer.echo(f"{speakers.name(one)}, {', '.join(_about(one))}")
        typer.echo(f"{printable(one.text)}\n")


def _about(message: chat_pb2.Message) -> Iterator[str]:
    yield clock(message.create_time)
    if message.sibling_count > 1:
        yield f"{message.sibling_number} of {message.sibling_count}"
    if message.state in (chat_pb2.MESSAGE_STATE_STREAMING, chat_pb2.MESSAGE_STATE_FAILED):
        yield word(message, "state", "MESSAGE_STATE_")
    if message.HasField("edit_time"):
        yield "edited"
    if message.pinned:
        yield "pinned"
    if message.reaction:
        yield f"{word(message, 'reaction', 'REACTION_')}d"
    yield printable(message.name)
