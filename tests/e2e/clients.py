"""Clients that we did not write, each speaking to the edge in its own protocol: aiohttp, grpc.aio, buf curl."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import grpc

Json = dict[str, Any]
Given = TypeVar("Given")

# What a machine with too much to do says, and how long it is asked again.
BUSY_STATUSES = (503, 504)
PATIENCE_SECONDS, AGAIN_SECONDS = 60, 0.2
CHUNK_BYTES = 65_536
BUF = Path(sys.executable).parent / "buf"


@dataclass(frozen=True)
class Answer:
    """What an HTTP call gave."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Refused(AssertionError):
    """A call that should succeed does not."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status


@dataclass(frozen=True)
class Rest:
    """REST and Server-Sent Events, as the mobile app speaks them."""

    url: str
    token: str | None = None

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def call(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                verb, self.url + path, data=_sent(body), headers={**self.headers(), **_typed(body), **(headers or {})}
            ) as response,
        ):
            text = await response.text()
            return Answer(response.status, response.headers, _parsed(text))

    async def events(self, verb: str, path: str, body: Any = None) -> AsyncIterator[Json]:
        """The events of a stream, one for each `data:` line, as they come."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(verb, self.url + path, json=body, headers=self.headers()) as response,
        ):
            if response.status != 200:
                raise Refused(response.status, await response.text())
            assert response.content_type == "text/event-stream"
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    async def read(self, path: str) -> Json:
        """GET of something that there is; a busy machine is asked for it again."""

        async def found() -> Json:
            return _whole(await self.call("GET", path))

        return await _again_while_busy(found)

    async def conversation(self, character: str = "characters/sherlock-holmes") -> str:
        """The name of a new conversation; a busy machine is asked for it again."""
        path = f"/v1/conversations?request_id={uuid4()}"

        async def opened() -> str:
            return str(_whole(await self.call("POST", path, {"character": character}))["name"])

        return await _again_while_busy(opened)

    async def turn(self, conversation: str, text: str = "Who are you?") -> list[Json]:
        """Every event of one turn; a busy machine is asked for it again."""
        path, body = f"/v1/{conversation}/messages:send", {"text": text, "request_id": str(uuid4())}

        async def answered() -> list[Json]:
            return [event async for event in self.events("POST", path, body)]

        return await _again_while_busy(answered)


def _whole(answer: Answer) -> Json:
    if answer.status != 200:
        raise Refused(answer.status, answer.body)
    body: Json = answer.body
    return body


async def _again_while_busy(asked: Callable[[], Awaitable[Given]]) -> Given:
    """What something gives that is safe to ask for again."""
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        try:
            return await asked()
        except Refused as refused:
            if refused.status not in BUSY_STATUSES or asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


def channel(url: str) -> grpc.aio.Channel:
    """A plain gRPC channel to the edge."""
    return grpc.aio.insecure_channel(urlsplit(url).netloc)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@dataclass(frozen=True)
class Curl:
    """What `buf curl` printed."""

    messages: list[Json]
    error: Json | None


async def buf_curl(
    url: str, protocol: str, method: str, request: Json, token: str | None, begun: asyncio.Event | None = None
) -> Curl:
    """Calls through the edge with a schema from the edge's own reflection; `begun` is set with the first message."""
    header = ["--header", f"Authorization: Bearer {token}", "--reflect-header", f"Authorization: Bearer {token}"]
    process = await asyncio.create_subprocess_exec(
        str(BUF),
        *("curl", "--http2-prior-knowledge", "--protocol", protocol, "--data", json.dumps(request)),
        *(header if token else []),
        f"{url}/{method}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = await asyncio.gather(_read(process.stdout, begun), process.stderr.read())
    error = None
    if await process.wait() != 0:
        error = _parsed(err.decode())
        assert isinstance(error, dict), err.decode()
    return Curl(_documents(out.decode()), error)


async def _read(pipe: asyncio.StreamReader, begun: asyncio.Event | None) -> bytes:
    """All that a process prints; `begun` is set when some of it is there."""
    out = b""
    while chunk := await pipe.read(CHUNK_BYTES):
        out += chunk
        if begun:
            begun.set()
    return out


def kind(event: Json) -> str:
    """Which of its kinds an event is."""
    return next(key for key in ("started", "delta", "finished", "failed") if key in event)


def said(events: list[Json]) -> str:
    """The text that a stream's deltas make."""
    return "".join(event["delta"]["text"] for event in events if "delta" in event)


def _sent(body: Any) -> io.BytesIO | None:
    """JSON as a file, which may be of any size."""
    return None if body is None else io.BytesIO(json.dumps(body).encode())


def _typed(body: Any) -> dict[str, str]:
    return {} if body is None else {"content-type": "application/json"}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _documents(text: str) -> list[Json]:
    """The JSON documents that follow one another in a text."""
    decoder, documents, rest = json.JSONDecoder(), [], text.lstrip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(document)
        rest = rest[end:].lstrip()
    return documents
