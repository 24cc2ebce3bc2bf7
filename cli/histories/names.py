"""How conversations and messages are named on the command line."""

from typing import Annotated

import typer

Named = Annotated[str, typer.Argument(metavar="CONVERSATION", help="conversations/…, or what comes after the slash.")]


def conversation(name: str) -> str:
    """A conversation's resource name, from that or from what comes after its slash."""
    return f"conversations/{name.removeprefix('conversations/')}"
