"""The edge as this command reaches it: where it is, who asks, a channel."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from cli import issuer
from cli.failures import ExitCode, Failure, calls_to
from cli.issuer import Role

CALL_SECONDS = 10.0
# A command asks for a new token every time it runs.
TOKEN_LIFETIME = timedelta(hours=12)
# A long message that is read aloud has many megabytes.
ANSWER_BYTES_MAX = 32 * 1024 * 1024
OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
)
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Client:
    """An edge, and the token to show there; empty for calls that anybody may make."""

    url: str
    token: str = field(default="", repr=False)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[grpc.aio.Channel]:
        """A channel to the edge; a call that fails in the block becomes a Failure."""
        async with self.open() as channel:
            with calls_to(self.url):
                yield channel

    def open(self) -> grpc.aio.Channel:
        scheme, address = target(self.url)
        if scheme == "https":
            return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(), options=OPTIONS)
        return grpc.aio.insecure_channel(address, options=OPTIONS)


def anybody(state: Path, url: str | None) -> Client:
    """A client for what needs no token."""
    return Client(url or _written(state))


def somebody(state: Path, url: str | None, token: str | None, user: str | None, role: Role = Role.USER) -> Client:
    """A client with the given token, or with one that the local issuer gives for `user`, who may do what `role` may."""
    if token is None:
        chosen = user or issuer.USER_DEFAULT
        token = issuer.read(state).token(chosen, role, datetime.now(UTC), TOKEN_LIFETIME)
    elif user is not None:
        hint = "Unset SCENEMESH_TOKEN to choose a user of the local issuer."
        raise Failure("A token already says who you are: --user has no meaning.", ExitCode.USAGE, hint=hint)
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Failure("SCENEMESH_TOKEN holds no token.", ExitCode.USAGE)
    return Client(url or _written(state), token)


def _written(state: Path) -> str:
    """Where `scenemesh up` wrote that its edge is."""
    file = state / "run" / "stack.json"
    try:
        return str(json.loads(file.read_text())["url"])
    except FileNotFoundError as error:
        message = f"Nothing runs in {state}."
        hint = "`scenemesh up` starts everything; --state names another folder, SCENEMESH_URL another machine."
        raise Failure(message, ExitCode.NOT_RUNNING, "NOT_RUNNING", hint=hint) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Failure(f"{file} cannot be read: {error}") from error


def target(url: str) -> tuple[str, str]:
    """The scheme, and host:port as gRPC wants it."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise Failure(f"{url!r} is not a URL such as http://localhost:8080.", ExitCode.USAGE, "INVALID_ARGUMENT")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, f"{host}:{port}"
