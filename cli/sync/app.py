"""The commands of `scenemesh sync`."""

import typer

from cli.failures import EPILOG
from cli.sync.change import cancel, resume
from cli.sync.file import file
from cli.sync.look import listing, show
from cli.sync.web import jikan, tmdb

app = typer.Typer(help="Fill the catalogue, from the web or from a file. For operators.", no_args_is_help=True)
for command in (tmdb, jikan, file, show, cancel, resume):
    app.command(epilog=EPILOG)(command)
app.command("list", epilog=EPILOG)(listing)
