"""Serving: one gRPC server with mutual TLS, health, reflection, a lease in the registry, and a graceful end.

The end: on the first SIGTERM health turns to NOT_SERVING and the lease goes, then, after the time that callers need to
notice, the server takes no new calls and those in flight have `drain_seconds` to finish. A second signal ends at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from runtime import redis, registry
from runtime.certificates import Certificates
from runtime.contract import PACKAGE_ROOT, Contract
from runtime.interceptors import ORDER, Interceptors
from runtime.process import Termination, settled, termination
from runtime.settings import ProcessSettings

log = structlog.get_logger()

Register = Callable[[grpc.aio.Server], None]

# Envoy's and gRPC's health checks and the control plane's poll each take up to this long to notice.
NOTICE_SECONDS = 1.5

METADATA_BYTES_MAX = 128 * 1024

OPTIONS = (
    ("grpc.so_reuseport", 0),  # two servers on one port would share it in silence
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    # As much as the edge lets in: the path of a REST call, however long, comes as a header.
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
    # Envoy pings idle connections; the defaults answer that with GOAWAY too_many_pings and end every stream.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


async def serve(
    settings: ProcessSettings,
    name: str,
    register: Register,
    services: Sequence[str],
    *,
    reflected: reflection.aio.ReflectionServicer | None = None,
) -> None:
    """Serves until a signal ends it.

    `name` is the cluster's name in the mesh, `register` adds the servicers, `services` are their full names
    (`scenemesh.chat.v1.ChatService`). A service of ours without a policy refuses to start. `reflected` is what
    reflection shows; by default, `services`.
    """
    async with termination() as signals, serving(settings, register, services, reflected=reflected) as server:
        async with AsyncExitStack() as stack:
            if settings.control_plane:
                connection = await stack.enter_async_context(redis.connect(settings.redis_url))
                await stack.enter_async_context(registry.lease(connection, name, server.address))
            settled()
            stack.enter_context(_ready(settings.ready_file, server.address))
            log.info("serving", address=server.address)
            await signals.drain.wait()
            log.info("draining")
            await server.refuse()
        await _unless(signals.stop, NOTICE_SECONDS if settings.control_plane else 0)
        await server.stop(0 if signals.stop.is_set() else settings.drain_seconds, signals)
        log.info("stopped")


class Serving:
    """A started server."""

    def __init__(self, server: grpc.aio.Server, address: str, checks: health.aio.HealthServicer) -> None:
        self._server = server
        self._checks = checks
        self.address = address

    async def refuse(self) -> None:
        """Tells health checks that this process takes no more calls."""
        await self._checks.enter_graceful_shutdown()

    async def stop(self, grace_seconds: float, signals: Termination) -> None:
        """Waits for calls in flight, at most `grace_seconds`, or until the second signal."""
        ending = asyncio.create_task(self._server.stop(grace_seconds))
        impatience = asyncio.create_task(signals.stop.wait())
        await asyncio.wait({ending, impatience}, return_when=asyncio.FIRST_COMPLETED)
        impatience.cancel()
        if not ending.done():
            await self._server.stop(0)
        await ending


@asynccontextmanager
async def serving(
    settings: ProcessSettings,
    register: Register,
    services: Sequence[str],
    *,
    reflected: reflection.aio.ReflectionServicer | None = None,
) -> AsyncIterator[Serving]:
    """A server that serves while the block runs; stops at once when it ends."""
    contract = Contract.of([service for service in services if service.startswith(f"{PACKAGE_ROOT}.")])
    server = grpc.aio.server(
        interceptors=[Interceptors(contract, ORDER, settings.trust_domain)],
        options=OPTIONS,
    )
    register(server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    own = reflection.aio.ReflectionServicer([*services, health.SERVICE_NAME, reflection.SERVICE_NAME])
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflected or own, server)
    credentials = Certificates(settings.certificates).server_credentials()
    port = server.add_secure_port(settings.listen, credentials)
    await server.start()
    for service in ("", *services):
        await checks.set(service, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield Serving(server, f"{settings.listen.rpartition(':')[0]}:{port}", checks)
    finally:
        await server.stop(0)


@contextmanager
def _ready(file: Path | None, address: str) -> Iterator[None]:
    """Keeps `address` in the ready file while the block runs."""
    if file is None:
        yield
        return
    written = file.with_suffix(".new")
    written.write_text(address)
    written.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Waits for so long, or until the event."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
