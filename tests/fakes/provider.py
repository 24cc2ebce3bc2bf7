"""A model provider that does as it is told: an HTTP server that speaks Anthropic's and OpenAI's protocols.

In a test it is the block `async with provider() as fake`. As a process of its own (`python -m tests.fakes.provider
--port 0`) it prints its address and is told over HTTP:

    POST /script     a behaviour as JSON, or a list of them: what the next requests get, in order
    DELETE /script   forgets what was not used
    PUT /otherwise   a behaviour as JSON: what requests get for which nothing is scripted; echoes unless told
    GET /requests    {"count": …, "requests": [{"path": …, "body": …}, …]}: what models were asked

What is asked behind the scenes, for titles and the like, is counted and scripted apart; it gets no words unless a test
says so.
"""

import argparse
import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.audio import heard, sounding, uploaded
from tests.fakes.behaviour import Behaviour
from tests.fakes.wires import AnthropicMessages, OpenAIChatCompletions, Wire, beginning, instructions, said, shown

MODEL = "fake-model"

# How everything begins that is asked behind the scenes.
BEHIND = "You work behind the scenes of a conversation"

# Four images and what is said with them.
REQUEST_BYTES_MAX = 32 * 1024 * 1024

# Before one piece is said again, at least.
AGAIN_MS = 20

# Closed with a linger of none, a connection is reset.
LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """What a model was asked; `at` is in seconds of the event loop's clock. `images` are types and bytes."""

    path: str
    body: dict[str, Any]
    at: float = 0
    images: tuple[tuple[str, bytes], ...] = ()


class FakeProvider:
    """`url` is the server's root; Anthropic's base URL is the root, OpenAI's ends with /v1."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        # Streams that are being sent just now.
        self.open_streams = 0
        # The other ends of the connections that streams were asked for on.
        self.peers: set[object] = set()
        # What requests get for which nothing is scripted.
        self.otherwise = Behaviour()
        # What the server lists.
        self.models: Sequence[str] = (MODEL,)
        self._script: deque[Behaviour] = deque()
        # What was asked behind the scenes, and what that gets.
        self.asides: list[Request] = []
        self.aside = Behaviour(answer=())
        self._aside_script: deque[Behaviour] = deque()
        # What scripted answers wait for.
        self._awaited: list[asyncio.Event] = []

    def script(self, *behaviours: Behaviour) -> None:
        """What the next requests get, in order; after them comes `otherwise` again."""
        self._script.extend(behaviours)
        self._awaited += [event for one in behaviours for event in (one.gate, one.until) if event]

    def script_asides(self, *behaviours: Behaviour) -> None:
        """What is asked next behind the scenes gets these, in order; after them comes `aside` again."""
        self._aside_script.extend(behaviours)
        self._awaited += [event for one in behaviours for event in (one.gate, one.until) if event]

    def forget(self) -> list[Behaviour]:
        """Drops what is scripted, and gives what of it was not used; answers that wait for a test wait no more."""
        left = [*self._script, *self._aside_script]
        self._script.clear()
        self._aside_script.clear()
        while self._awaited:
            self._awaited.pop().set()
        return left

    def application(self) -> web.Application:
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.add_routes(
            [
                web.post("/v1/messages", self._messages),
                web.post("/v1/chat/completions", self._completions),
                web.post("/v1/audio/transcriptions", self._transcriptions),
                web.post("/v1/audio/speech", self._spoken),
                web.get("/v1/models", self._models),
                web.post("/script", self._scripted),
                web.delete("/script", self._forgotten),
                web.put("/otherwise", self._otherwise),
                web.get("/requests", self._requests),
            ]
        )
        return application

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return await self._answer(request, body, AnthropicMessages(body["model"]))

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return await self._answer(request, body, OpenAIChatCompletions(body["model"], include_usage))

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        """What is heard is the answer, or how many bytes the recording has; `usage` says how many seconds."""
        form, body = await request.post(), {}
        for name, value in form.items():
            body[name] = value if isinstance(value, str) else uploaded(value)
        return await self._at_once(request, body, heard)

    async def _spoken(self, request: web.Request) -> web.StreamResponse:
        """An MP3 of a frame for every piece of the answer; `malformed_after` sends something else."""
        return await self._at_once(request, await request.json(), sounding)

    async def _at_once(
        self, request: web.Request, body: dict[str, Any], made: Callable[[dict[str, Any], Behaviour], web.Response]
    ) -> web.StreamResponse:
        """An answer that is no stream."""
        self.requests.append(Request(request.path, body, asyncio.get_running_loop().time()))
        behaviour = self._script.popleft() if self._script else self.otherwise
        if behaviour.reset:
            _reset(request)
        if behaviour.reset or behaviour.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(behaviour.first_word_ms / 1000)
        if behaviour.status != 200 or behaviour.error:
            wire = OpenAIChatCompletions(MODEL, include_usage=False)
            if refusal := _refusal(behaviour, {"messages": [{"role": "user"}]}, wire):
                return refusal
        return made(body, behaviour)

    async def _models(self, request: web.Request) -> web.Response:
        listed = [{"id": name, "object": "model", "owned_by": "fake"} for name in self.models]
        return web.json_response({"object": "list", "data": listed})

    async def _scripted(self, request: web.Request) -> web.Response:
        told = await request.json()
        try:
            self.script(*(Behaviour.of(one) for one in (told if isinstance(told, list) else [told])))
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def _forgotten(self, request: web.Request) -> web.Response:
        self.forget()
        return web.json_response({})

    async def _otherwise(self, request: web.Request) -> web.Response:
        try:
            self.otherwise = Behaviour.of(await request.json())
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def _requests(self, request: web.Request) -> web.Response:
        asked = [{"path": one.path, "body": one.body} for one in self.requests]
        return web.json_response({"count": len(asked), "requests": asked})

    def _heard(self, asked: Request) -> Behaviour:
        if instructions(asked.body).startswith(BEHIND):
            self.asides.append(asked)
            return self._aside_script.popleft() if self._aside_script else self.aside
        self.requests.append(asked)
        return self._script.popleft() if self._script else self.otherwise

    async def _answer(self, request: web.Request, body: dict[str, Any], wire: Wire) -> web.StreamResponse:
        asked = Request(request.path, body, asyncio.get_running_loop().time(), tuple(shown(body)))
        self.peers.add(request.get_extra_info("peername"))
        behaviour = self._heard(asked)
        if behaviour.reset:
            _reset(request)
        if behaviour.reset or behaviour.silent:
            await asyncio.Event().wait()
        if refusal := _refusal(behaviour, body, wire):
            return refusal
        response = web.StreamResponse(headers={"content-type": "text/event-stream", **behaviour.headers})
        await response.prepare(request)
        self.open_streams += 1
        try:
            await _stream(request, response, behaviour, behaviour.pieces(said(body), beginning(body)), wire)
        finally:
            self.open_streams -= 1
        return response


def _refusal(behaviour: Behaviour, body: dict[str, Any], wire: Wire) -> web.Response | None:
    """The HTTP error that a request gets instead of a stream, if any. In a stream, `error` names the error event."""
    if behaviour.status != 200:
        status, told = behaviour.status, wire.error(behaviour.status)
    elif behaviour.error and behaviour.error_after is None:
        status, told = wire.named_error(behaviour.error)
    elif beginning(body) and not behaviour.prefill:
        status, told = wire.named_error("prefill")
    else:
        return None
    after = behaviour.retry_after_seconds
    headers = {**({"retry-after": str(after)} if after is not None else {}), **behaviour.headers}
    return web.json_response(told, status=status, headers=headers)


async def _stream(
    request: web.Request, response: web.StreamResponse, behaviour: Behaviour, pieces: list[str], wire: Wire
) -> None:
    for event in wire.opening(behaviour):
        await response.write(event)
    await asyncio.sleep(behaviour.first_word_ms / 1000)
    if behaviour.gate is not None:
        await behaviour.gate.wait()
    while behaviour.until is not None and not behaviour.until.is_set():
        await asyncio.sleep(max(behaviour.delay_ms, AGAIN_MS) / 1000)
        await response.write(wire.piece(pieces[0], behaviour))
    for index in range(len(pieces) + 1):
        if behaviour.keep_alive:
            await response.write(b": keep-alive\n\n")
        if await _broke(request, response, behaviour, wire, index):
            return
        if index < len(pieces):
            await asyncio.sleep(behaviour.delay_ms / 1000)
            await response.write(wire.piece(pieces[index], behaviour))
    for event in wire.closing(behaviour):
        await response.write(event)
    await asyncio.sleep(behaviour.end_ms / 1000)
    if behaviour.held:
        await asyncio.Event().wait()


async def _broke(
    request: web.Request, response: web.StreamResponse, behaviour: Behaviour, wire: Wire, index: int
) -> bool:
    """Whether the stream is over before the piece with this index, in the way that was told."""
    if index == behaviour.reset_after:
        _reset(request)
    if index in (behaviour.reset_after, behaviour.stall_after):
        await asyncio.Event().wait()
    if index == behaviour.error_after:
        await response.write(wire.error_event(behaviour.error))
    elif index == behaviour.malformed_after:
        await response.write(b'event: content_block_delta\ndata: {"type": "content_bl\n\n')
    elif index == behaviour.refuse_after:
        for event in wire.refusal(behaviour):
            await response.write(event)
    ends = (behaviour.cut_after, behaviour.error_after, behaviour.malformed_after, behaviour.refuse_after)
    return index in ends


def _reset(request: web.Request) -> None:
    """Resets the connection; the server then ends the request's handler."""
    transport = request.transport
    if transport is None:
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    transport.abort()


@asynccontextmanager
async def provider(port: int = 0) -> AsyncIterator[FakeProvider]:
    """A fake provider that serves while the block runs; on a free port unless told which."""
    fake = FakeProvider()
    # A client that goes away ends its stream, as with a real provider.
    runner = web.AppRunner(fake.application(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


async def _main(port: int) -> None:
    async with provider(port) as fake:
        print(fake.url, flush=True)  # noqa: T201 (what it is started for)
        await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A model provider that does as it is told.")
    arguments.add_argument("--port", type=int, default=0)
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(arguments.parse_args().port))
