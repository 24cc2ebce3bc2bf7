"""The commands that are clients of the edge, as one program of their own."""

import os

import typer

from cli.billing.app import app as billing
from cli.caller import calling
from cli.characters.app import app as characters
from cli.chat import chat
from cli.failures import EPILOG
from cli.histories.app import app as conversations
from cli.index.app import app as index
from cli.media.app import app as media
from cli.media.voices import speak, transcribe
from cli.models import models
from cli.quota.app import app as quota
from cli.running import run
from cli.search import search
from cli.sync import file as upload
from cli.sync.app import app as sync
from cli.token import token

# A test in which an upload is refused gives a busy machine more time for the refusal.
upload.HEARD_SECONDS = float(os.environ.get("HEARD_SECONDS", upload.HEARD_SECONDS))

app = typer.Typer()
for command in (token, search, chat):
    app.command(epilog=EPILOG)(command)
for asking in (models, transcribe, speak):
    app.command(epilog=EPILOG)(calling(asking))
app.add_typer(characters, name="characters")
app.add_typer(media, name="media")
app.add_typer(conversations, name="conversations")
app.add_typer(quota, name="quota")
app.add_typer(billing, name="billing")
app.add_typer(index, name="index")
app.add_typer(sync, name="sync")

if __name__ == "__main__":
    run(app)
