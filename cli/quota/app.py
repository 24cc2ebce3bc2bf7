"""The commands of `scenemesh quota`."""

import typer

from cli.failures import EPILOG
from cli.quota.entries import entries
from cli.quota.holds import holds, void
from cli.quota.show import show
from cli.quota.zone import time_zone

app = typer.Typer()
app.callback(invoke_without_command=True, epilog=EPILOG)(show)
for command in (entries, time_zone, holds, void):
    app.command(epilog=EPILOG)(command)
