"""Clients that we did not write, each speaking to the edge in its own protocol: aiohttp, grpc.aio, buf curl."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import grpc
from yarl import URL

Json = dict[str, Any]

# What a machine with too much to do says, and how long it is asked again.
BUSY_STATUSES = (503, 504)
BUSY_CODES = ("unavailable", "deadline_exceeded")
PATIENCE_SECONDS, AGAIN_SECONDS = 90, 0.2
# The same request is still at work.
RUNNING = "REQUEST_RUNNING"
JSON_TYPE = {"content-type": "application/json"}
CHUNK_BYTES = 65_536
BUF = Path(sys.executable).parent / "buf"
# What has brought nothing yet is asked again over gRPC, too, by the client itself and as often as it may.
RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.5s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": [code.upper() for code in BUSY_CODES],
}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": RETRIES}]})),
    # Of the longest request that is kept for another try.
    ("grpc.per_rpc_retry_buffer_size", 16 * 2**20),
)


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


@asynccontextmanager
async def requested(
    verb: str, url: str | URL, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The response to a request that does no harm if it is made again: a busy machine is asked again."""
    now = asyncio.get_running_loop().time
    until = now() + PATIENCE_SECONDS
    async with aiohttp.ClientSession() as session:
        while True:
            # As a file, which may be of any size.
            data = None if body is None else io.BytesIO(body)
            async with session.request(verb, url, data=data, headers=headers) as response:
                if now() > until or not await _is_busy(response):
                    yield response
                    return
            await asyncio.sleep(AGAIN_SECONDS)


async def _is_busy(response: aiohttp.ClientResponse) -> bool:
    busy = [str(grpc.StatusCode[code.upper()].value[0]) for code in BUSY_CODES]
    if response.status in BUSY_STATUSES or response.headers.get("grpc-status") in busy:
        return True
    return response.status == 409 and RUNNING in await response.text()


@dataclass(frozen=True)
class Rest:
    """REST and Server-Sent Events, as the mobile app speaks them; a busy machine is asked again."""

    url: str
    token: str | None = None

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def call(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A body of bytes is sent as it is, any other as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        told = {**self.headers(), **(JSON_TYPE if sent is not None else {}), **(headers or {})}
        async with requested(verb, self.url + path, sent, told) as response:
            return Answer(response.status, response.headers, _parsed(await response.text()))

    async def events(self, verb: str, path: str, body: Json | None = None) -> AsyncIterator[Json]:
        """The events of a stream, one for each `data:` line, as they come."""
        # What is sent twice is said once.
        sent = None if body is None else json.dumps({"request_id": str(uuid4()), **body}).encode()
        headers = {**self.headers(), **(JSON_TYPE if sent is not None else {})}
        async with requested(verb, self.url + path, sent, headers) as response:
            if response.status != 200:
                raise Refused(response.status, await response.text())
            assert response.content_type == "text/event-stream"
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    async def log(self, verb: str, path: str, body: Json | None = None) -> list[Json]:
        """All events of a stream; that one is late, as a busy machine says, is no part of the log."""
        return [event async for event in self.events(verb, path, body) if "delayed" not in event]

    async def read(self, path: str) -> Json:
        """GET of something that there is."""
        return _whole(await self.call("GET", path))

    async def conversation(self, character: str = "characters/sherlock-holmes") -> str:
        """The name of a new conversation."""
        path = f"/v1/conversations?request_id={uuid4()}"
        return str(_whole(await self.call("POST", path, {"character": character}))["name"])

    async def turn(self, conversation: str, text: str = "Who are you?") -> list[Json]:
        """Every event of one turn."""
        return await self.log("POST", f"/v1/{conversation}/messages:send", {"text": text})

    async def settled(self, meter: str = "chat") -> Json:
        """How a meter stands once nothing is held on it: where the ledger is busy, an answer's bill comes after it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                meters = (await self.read("/v1/users/me/quota"))["meters"]
                found: Json = next(one for one in meters if one["meter"] == meter)
                if found["held"] == "0":
                    return found
                await asyncio.sleep(AGAIN_SECONDS)


def _whole(answer: Answer) -> Json:
    if answer.status != 200:
        raise Refused(answer.status, answer.body)
    body: Json = answer.body
    return body


def channel(url: str) -> grpc.aio.Channel:
    """A plain gRPC channel to the edge, on which a busy machine is asked again."""
    return grpc.aio.insecure_channel(urlsplit(url).netloc, options=CHANNEL_OPTIONS)


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
    """Calls through the edge with a schema from the edge's own reflection; `begun` is set with the first message.

    A busy machine that has told nothing yet is asked again.
    """
    header = ["--header", f"Authorization: Bearer {token}", "--reflect-header", f"Authorization: Bearer {token}"]
    arguments = ["--protocol", protocol, "--data", json.dumps(request), *(header if token else []), f"{url}/{method}"]
    now = asyncio.get_running_loop().time
    until = now() + PATIENCE_SECONDS
    while True:
        out, told = await _curled(arguments, begun)
        error = _parsed(told)
        busy = error["code"] in BUSY_CODES if isinstance(error, dict) else any(code in told for code in BUSY_CODES)
        if out or not busy or now() > until:
            assert isinstance(error, dict | None), told
            return Curl(_documents(out), error)
        await asyncio.sleep(AGAIN_SECONDS)


async def _curled(arguments: list[str], begun: asyncio.Event | None) -> tuple[str, str]:
    """What it prints, and what it says where it fails, `null` where it does not."""
    process = await asyncio.create_subprocess_exec(
        *(str(BUF), "curl", "--http2-prior-knowledge", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out, told = await asyncio.gather(_read(process.stdout, begun), process.stderr.read())
    return out.decode(), told.decode() if await process.wait() != 0 else "null"


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
