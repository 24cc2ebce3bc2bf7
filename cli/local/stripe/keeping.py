"""The account's file: what a laptop's pretend Stripe knows after it was stopped."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from cli.local.stripe.account import Account

WRITE_SECONDS = 0.5
# Of the time, so much at most goes into writing.
WRITE_SHARE_MAX = 0.1
# What is kept beside the objects: how far its clock was moved, and its port, which the links that it gave away have.
SERVER = "server"


def restored(file: Path) -> Account:
    """The account that a file keeps, or a new one; what it did not deliver is on its way again."""
    account = Account()
    account.store.read(file)
    for server in account.store.all(SERVER):
        account.clock.advance(server["ahead_seconds"])
        account.url = server["url"]
    account.news.extend(event["id"] for event in reversed(account.store.all("event")) if event["pending_webhooks"])
    account.woken.set()
    return account


@asynccontextmanager
async def kept(account: Account, file: Path) -> AsyncIterator[None]:
    """Writes the file soon after every change, and at the end."""
    writing = asyncio.create_task(_write(account, file))
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        _save(account, file)


async def _write(account: Account, file: Path) -> None:
    written, took = -1, 0.0
    while True:
        if account.store.version != written:
            written = account.store.version
            began = monotonic()
            _save(account, file)
            took = monotonic() - began
        await asyncio.sleep(max(WRITE_SECONDS, took / WRITE_SHARE_MAX))


def _save(account: Account, file: Path) -> None:
    account.store.drop(SERVER, SERVER)
    account.store.add(SERVER, {"id": SERVER, "ahead_seconds": account.clock.ahead_seconds, "url": account.url})
    account.store.write(file)


def last_port(account: Account, host: str) -> int:
    """The port of the last time if it is free, else 0."""
    port = urlsplit(account.url).port
    if port is None:
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
    return port
