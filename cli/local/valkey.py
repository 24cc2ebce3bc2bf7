"""Valkey out of its wheel: leases and live logs. On a socket, and durable to the second."""

import asyncio
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cli.local.process import Launch

MEMORY_MAX = "256mb"
SOCKET = "valkey.sock"


def url(sockets: Path) -> str:
    return f"unix://{quote(str(sockets / SOCKET))}"


def launch(binary: Path, *, data: Path, sockets: Path) -> Launch:
    options = {
        "port": "0",
        "unixsocket": str(sockets / SOCKET),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory": MEMORY_MAX,
        "maxmemory-policy": "noeviction",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Launch(command=(str(binary), *arguments), environment={})


async def ready(sockets: Path) -> str | None:
    """The socket's path once the server answers; it says LOADING while it reads its log."""
    socket = str(sockets / SOCKET)
    with suppress(OSError):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(b"PING\r\n")
            return socket if await reader.readline() == b"+PONG\r\n" else None
        finally:
            writer.close()
    return None
