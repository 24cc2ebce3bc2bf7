"""`scenemesh characters list`, `show`, `create`, `change` and `delete`."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from rich.console import Console
from rich.table import Table

from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.options import All
from cli.pages import MORE
from cli.tables import draw, named
from cli.text import cell, clock, printable
from scenemesh.chat.v1 import character_pb2
from scenemesh.chat.v1.character_pb2_grpc import CharacterServiceStub

PREFIX = "customCharacters/"
PERSONA_BYTES_MAX = 16_000

Name = Annotated[str, typer.Argument(metavar="NAME", help=f"{PREFIX}….")]
Title = Annotated[str | None, typer.Option(help="The world that it comes from.")]
Persona = Annotated[str | None, typer.Option(help="Who it is and how it speaks; @FILE reads it from a file.")]
Greeting = Annotated[str | None, typer.Option(help="What it says first in a new conversation.")]
Called = Annotated[str | None, typer.Option("--name", help="What it is called.")]


def listing(caller: Caller, every: All = False) -> None:
    """Show your characters, the newest first."""
    request = character_pb2.ListCustomCharactersRequest()
    answer = caller.pages(lambda channel: CharacterServiceStub(channel).ListCustomCharacters, request, every)

    def show() -> None:
        drawn = Table(named("Name"), "Called", "From", "Changed")
        for one in answer.custom_characters:
            drawn.add_row(cell(one.name), cell(one.display_name), cell(one.title), clock(one.update_time))
        if answer.custom_characters:
            draw(drawn)
        else:
            typer.echo("You have made none up: scenemesh characters create.", err=True)
        if answer.next_page_token:
            typer.echo(MORE, err=True)

    caller.tell(answer, show)


def show(caller: Caller, name: Name) -> None:
    """Show a character."""
    request = character_pb2.GetCustomCharacterRequest(name=_full(name))
    _told(caller, caller.ask(lambda channel: CharacterServiceStub(channel).GetCustomCharacter, request))


def create(
    caller: Caller,
    called: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    title: Title = None,
    persona: Persona = None,
    greeting: Greeting = None,
) -> None:
    """Make a character up."""
    wanted = character_pb2.CustomCharacter(
        display_name=called, title=title or "", persona=_read(persona) or "", greeting=greeting or ""
    )
    request = character_pb2.CreateCustomCharacterRequest(custom_character=wanted, request_id=str(uuid4()))
    made = caller.change(lambda channel: CharacterServiceStub(channel).CreateCustomCharacter, request)
    caller.tell(made, lambda: typer.echo(printable(made.name)))


def change(
    caller: Caller,
    name: Name,
    called: Called = None,
    title: Title = None,
    persona: Persona = None,
    greeting: Greeting = None,
) -> None:
    """Change a character: what you name, and nothing else."""
    given = {"display_name": called, "title": title, "persona": _read(persona), "greeting": greeting}
    values = {field: value for field, value in given.items() if value is not None}
    if not values:
        raise Failure("Say what to change: see --help.", ExitCode.USAGE, "INVALID_ARGUMENT")
    request = character_pb2.UpdateCustomCharacterRequest(update_mask=FieldMask(paths=sorted(values)))
    request.custom_character.name = _full(name)
    for field, value in values.items():
        setattr(request.custom_character, field, value)
    _told(caller, caller.ask(lambda channel: CharacterServiceStub(channel).UpdateCustomCharacter, request))


def delete(caller: Caller, name: Name) -> None:
    """Delete a character. Conversations with it stay, to be read."""
    request = character_pb2.DeleteCustomCharacterRequest(name=_full(name))
    answer = caller.ask(lambda channel: CharacterServiceStub(channel).DeleteCustomCharacter, request)
    caller.tell(answer, lambda: typer.echo("Deleted."))


def _told(caller: Caller, character: character_pb2.CustomCharacter) -> None:
    def show() -> None:
        drawn = Table.grid(padding=(0, 2))
        drawn.add_row("Name", cell(character.name))
        drawn.add_row("Called", cell(character.display_name))
        drawn.add_row("From", cell(character.title))
        drawn.add_row("Persona", cell(character.persona))
        drawn.add_row("Greeting", cell(character.greeting))
        Console().print(drawn)

    caller.tell(character, show)


def _full(name: str) -> str:
    return f"{PREFIX}{name.removeprefix(PREFIX)}"


def _read(persona: str | None) -> str | None:
    """What was given, or what stands in the file that was named."""
    if persona is None or not persona.startswith("@"):
        return persona
    file = Path(persona[1:])
    try:
        with file.open("rb") as opened:
            return opened.read(PERSONA_BYTES_MAX + 1).decode()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", ExitCode.USAGE, "INVALID_ARGUMENT") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is no text in UTF-8.", ExitCode.USAGE, "INVALID_ARGUMENT") from error
