"""`scenemesh conversations export` and `import`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console

from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.files import Output, content, write
from cli.histories.listing import table
from cli.histories.names import Named, conversation
from cli.text import printable
from scenemesh.chat.v1 import archive_pb2
from scenemesh.chat.v1.archive_pb2_grpc import ArchiveServiceStub

FILE_BYTES_MAX = 3 * 2**20


class Kind(StrEnum):
    """What a conversation is written as."""

    json = "json"
    markdown = "markdown"
    text = "text"
    pdf = "pdf"


class Origin(StrEnum):
    """Whose file it is."""

    json = "json"
    silly_tavern = "silly-tavern"
    libre_chat = "libre-chat"
    open_web_ui = "open-web-ui"


def export(
    caller: Caller,
    name: Named,
    output: Output,
    kind: Annotated[
        Kind, typer.Option("--format", help="JSON has everything; the others have the chosen branch.")
    ] = Kind.json,
) -> None:
    """Write a conversation to a file."""
    asked = f"EXPORT_FORMAT_{kind.name.upper()}"
    request = archive_pb2.ExportConversationRequest(name=conversation(name), format=asked)
    write(caller.ask(lambda channel: ArchiveServiceStub(channel).ExportConversation, request), output)


def bring(
    caller: Caller,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Up to 3 MiB.")],
    origin: Annotated[Origin, typer.Option("--from", help="Whose file it is.")] = Origin.json,
    character: Annotated[
        str, typer.Option(help="Whom you talked to, where the file does not say: characters/… or customCharacters/….")
    ] = "",
) -> None:
    """Open the conversations that a file holds."""
    request = archive_pb2.ImportConversationsRequest(
        format=f"IMPORT_FORMAT_{origin.name.upper()}",
        content=content(file, FILE_BYTES_MAX),
        character=character if "/" in character or not character else f"characters/{character}",
        request_id=str(uuid4()),
    )
    taken = caller.change(lambda channel: ArchiveServiceStub(channel).ImportConversations, request)

    def show() -> None:
        if taken.conversations:
            Console().print(table(taken.conversations))
        for one in taken.skipped:
            typer.echo(printable(f"Skipped {one.place} {one.display_name}: {one.reason}"), err=True)

    caller.tell(taken, show)
    if taken.skipped and not taken.conversations:
        raise Failure("No conversation of the file was taken.", ExitCode.FAILED, "FAILED_PRECONDITION")
