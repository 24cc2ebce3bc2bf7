"""The commands that are clients of the edge, as one program of their own."""

import typer

from cli.chat import chat
from cli.failures import EPILOG
from cli.quota import quota
from cli.search import search
from cli.token import token

app = typer.Typer()
for command in (token, search, chat, quota):
    app.command(epilog=EPILOG)(command)

if __name__ == "__main__":
    app()
