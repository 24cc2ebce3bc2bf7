"""The commands of `scenemesh events`."""

import typer

from cli.events.dead import dead, replay
from cli.events.tail import tail
from cli.failures import EPILOG

app = typer.Typer(help="Follow events between services; list and replay those that could not be handled.")
for command in (tail, dead, replay):
    app.command(epilog=EPILOG)(command)
