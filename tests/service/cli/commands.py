"""The commands that are clients of the edge, as one program of their own."""

import typer

from cli.billing.app import app as billing
from cli.chat import chat
from cli.failures import EPILOG
from cli.index.app import app as index
from cli.quota.app import app as quota
from cli.search import search
from cli.sync.app import app as sync
from cli.token import token

app = typer.Typer()
for command in (token, search, chat):
    app.command(epilog=EPILOG)(command)
app.add_typer(quota, name="quota")
app.add_typer(billing, name="billing")
app.add_typer(index, name="index")
app.add_typer(sync, name="sync")

if __name__ == "__main__":
    app()
