"""The public port: refused early when it is busy, and kept for Envoy until it comes."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli.local.failure import Failure


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """The port to serve on, kept from others while the block runs; port 0 gives a free one. Raises Failure.

    Envoy shares its port with whoever else says SO_REUSEPORT, in silence, so the check must not say it. The socket that
    keeps the port says it and never listens: Envoy can join, all others find the port taken.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError) as error:
        raise Failure(f"{host}:{port} is not an address of this machine.") from error
    with socket.socket(family, kind) as check:
        check.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger
        try:
            check.bind(address)
            check.listen(1)
        except OSError as error:
            raise Failure(_reason(host, port, error)) from error
        free = check.getsockname()[1]
    with socket.socket(family, kind) as keeper:
        if hasattr(socket, "SO_REUSEPORT"):
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with suppress(OSError):  # where it cannot be kept, the check has to do
                keeper.bind((host, free, *address[2:]))
        yield int(free)


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is busy: stop what uses it, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges: choose one from 1024 up with --port."
    return f"{host}:{port} cannot be used: {error.strerror}."


def reachable(host: str) -> str:
    """The host by which this machine itself reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def netloc(host: str, port: int) -> str:
    """host:port as URLs and settings write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
