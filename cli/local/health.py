"""Whether a stack answers, asked as any client would: GET /healthz on the public port."""

import asyncio

TIMEOUT_SECONDS = 2.0


async def healthy(host: str, port: int) -> bool:
    """Whether the edge says that everything serves; false where nobody answers."""
    # No thread is used here: the supervisor forks, and a fork beside threads is not safe.
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]
