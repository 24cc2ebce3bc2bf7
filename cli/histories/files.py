"""`scenemesh conversations export` and `import`."""

from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid5

import typer

from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.files import Output, content, write
from cli.histories.listing import table
from cli.histories.names import Named, conversation
from cli.tables import draw
from cli.text import printable
from scenemesh.chat.v1 import archive_pb2
from scenemesh.chat.v1.archive_pb2_grpc import ArchiveServiceStub

FILE_BYTES_MAX = 3 * 2**20
# In it a file is what it has.
FILES = UUID("4c1f7d3a-6f0e-5b1c-9a52-2f6d8f1f0b77")


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
    write(caller, caller.ask(lambda channel: ArchiveServiceStub(channel).ExportConversation, request), output)


def bring(
    caller: Caller,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Up to 3 MiB.")],
    origin: Annotated[Origin, typer.Option("--from", help="Whose file it is.")] = Origin.json,
    character: Annotated[
        str, typer.Option(help="Whom you talked to, where the file does not say: characters/… or customCharacters/….")
    ] = "",
) -> None:
    """Open the conversations that a file holds. The same file again opens none twice, only what was skipped before."""
    read = content(file, FILE_BYTES_MAX)
    request = archive_pb2.ImportConversationsRequest(
        format=f"IMPORT_FORMAT_{origin.name.upper()}",
        content=read,
        character=character if "/" in character or not character else f"characters/{character}",
        request_id=str(uuid5(FILES, sha256(read).hexdigest())),
    )
    taken = caller.change(lambda channel: ArchiveServiceStub(channel).ImportConversations, request)

    def show() -> None:
        if taken.conversations:
            draw(table(taken.conversations))
        for one in taken.skipped:
            typer.echo(printable(f"Skipped {one.place} {one.display_name}: {one.reason}"), err=True)
        if taken.media_left_behind:
            typer.echo(f"Images that the file does not bring: {taken.media_left_behind}.", err=True)

    caller.tell(taken, show)
    if taken.skipped and not taken.conversations:
        if caller.as_json:
            raise typer.Exit(ExitCode.FAILED)  # what was skipped says why
        hint = "" if character else "--character CHARACTER says who it is, where the file does not."
        raise Failure("No conversation of the file was taken.", ExitCode.FAILED, "FAILED_PRECONDITION", hint=hint)
