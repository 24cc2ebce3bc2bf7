"""`scenemesh token`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import issuer
from cli.failures import reported
from cli.issuer import USER_DEFAULT, Role
from cli.options import STATE_DEFAULT, Json, State


def token(
    user: Annotated[str, typer.Option(help="The token's subject.")] = USER_DEFAULT,
    role: Annotated[Role, typer.Option(help="What its bearer may do.")] = Role.USER,
    expires: Annotated[str, typer.Option(help="How long it lives: 90s, 15m, 1h; from 1s to 30d.")] = "1h",
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Print a token of the local issuer."""
    with reported(as_json):
        now, lifetime = datetime.now(UTC), issuer.lifetime(expires)
        signed = issuer.read(state).token(user, role, now, lifetime)
    if as_json:
        expiry = (now + lifetime).isoformat(timespec="seconds").replace("+00:00", "Z")
        typer.echo(json.dumps({"token": signed, "user": user, "role": role.value, "expire_time": expiry}))
    else:
        typer.echo(signed)
