"""The commands of `scenemesh characters`."""

import typer

from cli.caller import calling
from cli.characters.custom import change, create, delete, listing, show
from cli.failures import EPILOG

app = typer.Typer(no_args_is_help=True, help="Characters of your own.")
app.command("list", epilog=EPILOG)(calling(listing))
for command in (show, create, change, delete):
    app.command(epilog=EPILOG)(calling(command))
