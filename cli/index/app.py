"""The commands of `scenemesh index`."""

import typer

from cli.failures import EPILOG
from cli.index.build import build
from cli.index.serving import status
from cli.index.versions import activate, listed

app = typer.Typer(help="Index versions: what is searched. For operators.", no_args_is_help=True)
app.command(name="list", epilog=EPILOG)(listed)
for command in (build, activate, status):
    app.command(epilog=EPILOG)(command)
