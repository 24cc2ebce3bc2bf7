"""Clients that we did not write, each speaking to the edge in its own protocol: aiohttp, grpc.aio, buf curl."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import grpc

Json = dict[str, Any]

BUF = Path(sys.executable).parent / "buf"


@dataclass(frozen=True)
class Answer:
    """What an HTTP call gave."""

    status: int
    headers: Mapping[str, str]
    body: Any


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
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    async def conversation(self, character: str = "characters/sherlock-holmes") -> str:
        """The name of a new conversation."""
        opened = await self.call("POST", "/v1/conversations", {"character": character})
        assert opened.status == 200, opened.body
        return str(opened.body["name"])

    async def turn(self, conversation: str, text: str = "Who are you?") -> list[Json]:
        """Every event of one turn."""
        return [event async for event in self.events("POST", f"/v1/{conversation}/messages:send", {"text": text})]


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


async def buf_curl(url: str, protocol: str, method: str, request: Json, token: str | None) -> Curl:
    """Calls through the edge with a schema from the edge's own reflection."""
    header = ["--header", f"Authorization: Bearer {token}", "--reflect-header", f"Authorization: Bearer {token}"]
    process = await asyncio.create_subprocess_exec(
        str(BUF),
        *("curl", "--http2-prior-knowledge", "--protocol", protocol, "--data", json.dumps(request)),
        *(header if token else []),
        f"{url}/{method}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    error = None
    if process.returncode != 0:
        error = _parsed(err.decode())
        assert isinstance(error, dict), err.decode()
    return Curl(_documents(out.decode()), error)


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
