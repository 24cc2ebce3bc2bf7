"""The commands that are clients of the edge, as one program of their own."""

import typer

from cli.chat import chat
from cli.failures import EPILOG
from cli.quota.app import app as quota
from cli.search import search
from cli.token import token

app = typer.Typer()
for command in (token, search, chat):
    app.command(epilog=EPILOG)(command)
app.add_typer(quota, name="quota")

if __name__ == "__main__":
    app()
