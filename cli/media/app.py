"""The commands of `scenemesh media`."""

import typer

from cli.caller import calling
from cli.failures import EPILOG
from cli.media.keep import add, get

app = typer.Typer(no_args_is_help=True, help="Images and recordings for messages.")
for command in (add, get):
    app.command(epilog=EPILOG)(calling(command))
