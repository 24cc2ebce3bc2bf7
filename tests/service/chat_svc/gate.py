"""A gate before an engine's socket: closed, the engine is gone; stalled, it does not answer; slow, it does late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

CHUNK_BYTES = 65_536


class Gate:
    """Whoever connects to `own` is connected to `engine`, both sockets of the file system."""

    def __init__(self, own: Path, engine: Path) -> None:
        self._own = own
        self._engine = engine
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        # Of every answer.
        self.delay_seconds = 0.0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._connected, self._own)

    async def close(self) -> None:
        """Cuts every connection and takes no new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._own.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()
        self._flows.set()

    def stall(self) -> None:
        """Lets nothing through any more, and says so to nobody."""
        self._flows.clear()

    async def end(self) -> None:
        await self.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._engine)
        self._writers |= {writer, back}
        for source, target, late in ((reader, back, False), (there, writer, True)):
            task = asyncio.create_task(self._pass(source, target, late=late))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, late: bool) -> None:
        with suppress(OSError):
            while said := await source.read(CHUNK_BYTES):
                await asyncio.sleep(self.delay_seconds if late else 0)
                await self._flows.wait()
                target.write(said)
                await target.drain()
        target.close()


@asynccontextmanager
async def gate(own: Path, engine: Path) -> AsyncIterator[Gate]:
    """An open gate; at the end of the block everything through it is cut."""
    one = Gate(own, engine)
    await one.open()
    try:
        yield one
    finally:
        await one.end()


@asynccontextmanager
async def before_redis(redis_url: str) -> AsyncIterator[tuple[Gate, str]]:
    """A gate before Redis, and the URL of it for those whose way leads through the gate; open at the end."""
    with TemporaryDirectory(prefix="gate-") as directory:
        own = Path(directory) / "redis.sock"
        async with gate(own, Path(redis_url.removeprefix("unix://"))) as redis:
            yield redis, f"unix://{own}"
            await redis.open()
