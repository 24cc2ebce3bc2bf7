"""Streams on which nobody says anything, on connections that Envoy pings: the pings end none of them.

Time passes a hundred times as fast: the intervals of Envoy's pings and what our servers suffer keep their proportion.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest

from mesh.cache import Cache
from mesh.resources import clusters, listeners
from mesh.server import SERVICE, Discovery
from runtime import serve
from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.service.mesh import edge
from tests.service.mesh.conftest import SECONDS_MAX, Control, Start, Tokens
from tests.service.mesh.test_mesh_edge import bearer

TIMES = 100
# As many as two connections from outside may carry; Envoy carries them on by one of its own.
STREAMS, CONNECTIONS = 200, 2
PINGS = 30
SUFFERED = "grpc.http2.min_ping_interval_without_data_ms"
OURS = {name: value for name, value in serve.OPTIONS if name in (SUFFERED, "grpc.keepalive_permit_without_calls")}
MESSAGE = "conversations/00000000-0000-4000-8000-000000000000/messages/00000000-0000-4000-8000-000000000001"


@dataclass
class Silent(chat_pb2_grpc.ChatServiceServicer):
    """Says one word on each stream, and then nothing."""

    streams: int = 0

    async def WatchMessage(self, request: Any, context: Any) -> AsyncIterator[chat_pb2.ChatEvent]:
        self.streams += 1
        try:
            yield chat_pb2.ChatEvent(message=request.name, number=1)
            await asyncio.Event().wait()
        finally:
            self.streams -= 1


@dataclass(frozen=True)
class Pinging:
    """An Envoy that pings often, before a service that says nothing."""

    envoy: edge.Envoy
    log: Path
    chat: Silent

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own."""
        options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
        return grpc.aio.insecure_channel(self.envoy.address, options=options)

    def pings(self) -> int:
        """How many pings Envoy has sent on the one connection that carries all streams to the service."""
        sent, opened = Counter[str](), Counter[str]()
        for line in self.log.read_text(errors="replace").splitlines():
            connection = line.partition('"ConnectionId":"')[2].partition('"')[0]
            sent[connection] += "Sending keepalive PING" in line
            opened[connection] += "sent frame type=1," in line
        carrier, streams = opened.most_common(1)[0]
        assert streams >= STREAMS
        return sent[carrier]


@asynccontextmanager
async def pinging(
    control: Control, certificates: Path, directory: Path, suffered: Mapping[str, int]
) -> AsyncIterator[Pinging]:
    """With a service whose server has the options of ours, but suffers pings as it is told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "PING_INTERVAL", clusters.PING_INTERVAL / TIMES)
        patch.setattr(listeners, "PING_INTERVAL", listeners.PING_INTERVAL / TIMES)
        patch.setattr(serve, "OPTIONS", (*_without_pings(), *suffered.items()))
        chat, quick = Silent(), Control(Cache(), replace(control.topology, endpoints={}))  # type: ignore[abstract]
        async with AsyncExitStack() as stack:
            start = Start(certificates, stack)
            address = await start("mesh", Discovery(quick.cache).register, SERVICE)
            register = partial(chat_pb2_grpc.add_ChatServiceServicer_to_server, chat)
            quick.publish({"chat": frozenset([await start("chat", register, "scenemesh.chat.v1.ChatService")])})
            bootstrap = edge.rendered(directory, certificates, f"{address.host}:{address.port}")
            envoy = await stack.enter_async_context(edge.running(directory, bootstrap))
            async with asyncio.timeout(SECONDS_MAX):
                while not await envoy.counter("cluster.chat.membership_healthy"):
                    await asyncio.sleep(0.05)
            await _tell_frames(envoy)
            yield Pinging(envoy, directory / "envoy.log", chat)


def _without_pings() -> list[tuple[str, int]]:
    """The options of our servers, but for those that are about pings."""
    return [(name, value) for name, value in serve.OPTIONS if name not in OURS]


async def _tell_frames(envoy: edge.Envoy) -> None:
    """Makes Envoy log what it sends."""
    connector = aiohttp.UnixConnector(str(envoy.admin_socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://admin/logging?http2=trace") as response,
    ):
        assert response.status == 200


async def _watched(stack: AsyncExitStack, stubs: Sequence[Any], token: str) -> list[Any]:
    """So many streams, each of which has said its word."""
    request = chat_pb2.WatchMessageRequest(name=MESSAGE)
    calls = [
        await stack.enter_async_context(
            reading(stubs[number % len(stubs)].WatchMessage(request, metadata=bearer(token)))
        )
        for number in range(STREAMS)
    ]
    assert {(await call.read()).number for call in calls} == {1}
    return calls


async def test_pings_end_no_stream_of_our_servers(
    control: Control, certificates: Path, tokens: Tokens, tmp_path: Path
) -> None:
    suffered = {SUFFERED: OURS[SUFFERED] // TIMES}
    async with pinging(control, certificates, tmp_path, OURS | suffered) as mesh, AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(mesh.channel()) for _ in range(CONNECTIONS)]
        calls = await _watched(stack, [chat_pb2_grpc.ChatServiceStub(channel) for channel in channels], tokens())
        async with asyncio.timeout(SECONDS_MAX):
            while mesh.pings() < PINGS:
                await asyncio.sleep(0.2)
        assert [call.done() for call in calls] == [False] * STREAMS
        assert mesh.chat.streams == STREAMS


async def test_a_server_with_the_defaults_of_grpc_ends_them_all(
    control: Control, certificates: Path, tokens: Tokens, tmp_path: Path
) -> None:
    """Which is what the streams of the test above would come to without our options."""
    async with pinging(control, certificates, tmp_path, {}) as mesh, AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(mesh.channel()) for _ in range(CONNECTIONS)]
        calls = await _watched(stack, [chat_pb2_grpc.ChatServiceStub(channel) for channel in channels], tokens())
        async with asyncio.timeout(SECONDS_MAX):
            ended = [await call.code() for call in calls]
        assert ended == [grpc.StatusCode.UNAVAILABLE] * STREAMS
