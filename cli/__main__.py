"""`scenemesh`, also as `python -m cli`."""

import typer

from cli.chat import chat
from cli.failures import EPILOG
from cli.local.down import down
from cli.local.status import status
from cli.local.up import up
from cli.quota import quota
from cli.search import search
from cli.token import token

app = typer.Typer(
    help="Talk to film, series and anime characters, and run what answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for local in (up, down, status):
    app.command()(local)
for client in (token, search, chat, quota):
    app.command(epilog=EPILOG)(client)


def main() -> None:
    app(prog_name="scenemesh")


if __name__ == "__main__":
    main()
