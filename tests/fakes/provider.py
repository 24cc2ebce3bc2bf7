"""A model provider that does as it is told: an HTTP server that speaks Anthropic's and OpenAI's protocols.

In a test it is the block `async with provider() as fake`. As a process of its own (`python -m tests.fakes.provider
--port 0`) it prints its address and is told over HTTP:

    POST /script     a behaviour as JSON, or a list of them: what the next requests get, in order
    DELETE /script   forgets what was not used
    GET /requests    {"count": …, "requests": [{"path": …, "body": …}, …]}: what models were asked
"""

import argparse
import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.behaviour import Behaviour
from tests.fakes.wires import AnthropicMessages, OpenAIChatCompletions, Wire, said

MODEL = "fake-model"


@dataclass(frozen=True)
class Request:
    """What a model was asked."""

    path: str
    body: dict[str, Any]


class FakeProvider:
    """`url` is the server's root; Anthropic's base URL is the root, OpenAI's ends with /v1."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        # Streams that are being sent just now.
        self.open_streams = 0
        self._script: deque[Behaviour] = deque()

    def script(self, *behaviours: Behaviour) -> None:
        """What the next requests get, in order; after them come echoes again."""
        self._script.extend(behaviours)

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.post("/v1/messages", self._messages),
                web.post("/v1/chat/completions", self._completions),
                web.get("/v1/models", self._models),
                web.post("/script", self._scripted),
                web.delete("/script", self._forgotten),
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

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "fake"}]})

    async def _scripted(self, request: web.Request) -> web.Response:
        told = await request.json()
        try:
            self.script(*(Behaviour.of(one) for one in (told if isinstance(told, list) else [told])))
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def _forgotten(self, request: web.Request) -> web.Response:
        self._script.clear()
        return web.json_response({})

    async def _requests(self, request: web.Request) -> web.Response:
        asked = [{"path": one.path, "body": one.body} for one in self.requests]
        return web.json_response({"count": len(asked), "requests": asked})

    async def _answer(self, request: web.Request, body: dict[str, Any], wire: Wire) -> web.StreamResponse:
        self.requests.append(Request(request.path, body))
        behaviour = self._script.popleft() if self._script else Behaviour()
        if behaviour.status != 200:
            after = behaviour.retry_after_seconds
            headers = {"retry-after": str(after)} if after is not None else {}
            return web.json_response(wire.error(behaviour.status), status=behaviour.status, headers=headers)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        self.open_streams += 1
        try:
            await _stream(response, behaviour, behaviour.pieces(said(body)), wire)
        finally:
            self.open_streams -= 1
        return response


async def _stream(response: web.StreamResponse, behaviour: Behaviour, pieces: list[str], wire: Wire) -> None:
    for event in wire.opening(behaviour):
        await response.write(event)
    for index in range(len(pieces) + 1):
        if index == behaviour.cut_after:
            return
        if index == behaviour.stall_after:
            await asyncio.Event().wait()
        if index == behaviour.error_after:
            await response.write(wire.error_event())
            return
        if index == behaviour.malformed_after:
            await response.write(b'event: content_block_delta\ndata: {"type": "content_bl\n\n')
            return
        if index == behaviour.refuse_after:
            for event in wire.refusal(behaviour):
                await response.write(event)
            return
        if index < len(pieces):
            await asyncio.sleep(behaviour.delay_ms / 1000)
            await response.write(wire.piece(pieces[index]))
    for event in wire.closing(behaviour):
        await response.write(event)


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
