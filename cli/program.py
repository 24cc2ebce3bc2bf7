"""All commands of `scenemesh`."""

import typer

from cli.billing.app import app as billing
from cli.caller import calling
from cli.characters.app import app as characters
from cli.chat import chat
from cli.events.app import app as events
from cli.failures import EPILOG
from cli.histories.app import app as conversations
from cli.index.app import app as index
from cli.local.down import down
from cli.local.status import status
from cli.local.up import up
from cli.media.app import app as media
from cli.media.voices import speak, transcribe
from cli.models import models
from cli.quota.app import app as quota
from cli.search import search
from cli.sync.app import app as sync
from cli.token import token

app = typer.Typer(
    help="Talk to film, series and anime characters, and run what answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for local in (up, down, status):
    app.command()(local)
for client in (token, search, chat):
    app.command(epilog=EPILOG)(client)
for asking in (models, transcribe, speak):
    app.command(epilog=EPILOG)(calling(asking))
app.add_typer(characters, name="characters")
app.add_typer(media, name="media")
app.add_typer(conversations, name="conversations")
app.add_typer(quota, name="quota")
app.add_typer(billing, name="billing")
app.add_typer(index, name="index")
app.add_typer(events, name="events")
app.add_typer(sync, name="sync")
