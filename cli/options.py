"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

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
