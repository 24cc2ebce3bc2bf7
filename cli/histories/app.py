"""The commands of `scenemesh conversations`."""

from collections.abc import Callable

import typer

from cli.caller import calling
from cli.failures import EPILOG
from cli.histories.change import archive, delete, fork, rename, unarchive
from cli.histories.files import bring, export
from cli.histories.listing import listing
from cli.histories.search import search
from cli.histories.show import show

app = typer.Typer(help="Look through your conversations, and keep them in order.", no_args_is_help=True)


def _add(command: Callable[..., None], name: str | None = None) -> None:
    app.command(name, epilog=EPILOG)(calling(command))


_add(listing, "list")
for one in (show, search, rename, archive, unarchive, fork, delete):
    _add(one)
_add(export)
_add(bring, "import")
