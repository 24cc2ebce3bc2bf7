"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

STATE_DEFAULT = Path(".scenemesh")

State = Annotated[Path, typer.Option("--state", metavar="DIR", help="The folder of a stack on this machine.")]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="SCENEMESH_URL", help="The edge to call, instead of the stack in the state folder."),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="SCENEMESH_TOKEN", help="Your token, instead of one from the local issuer."),
]
User = Annotated[str | None, typer.Option("--user", help="Who you are to the local issuer.  [default: alice]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Of = Annotated[str | None, typer.Option("--of", metavar="USER", help="Another user's, which operators may see.")]
All = Annotated[bool, typer.Option("--all", help="All of them, not only the first page.")]


def instant(text: str) -> Timestamp:
    """A moment in RFC 3339, such as 2026-11-22T00:00:00Z."""
    moment = Timestamp()
    try:
        moment.FromJsonString(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-22T00:00:00Z.") from error
    return moment
