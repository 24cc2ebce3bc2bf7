"""The ways from a client to the model provider in `benchmarks/chat.py`: none between, LiteLLM's proxy, and ours."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import psutil

from benchmarks import chat_litellm
from benchmarks.chat_client import post
from tests.e2e.stack import Stack

CHARACTER = "characters/sherlock-holmes"
# What everybody's plan gives for one day: more of a person's turns would need somebody to pay for them.
TURNS_PER_PERSON = 5
AT_ONCE = 16


class Path(Protocol):
    """A way to the provider; `address` is where clients connect."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    async def prepare(self, answers: int, at_once: int) -> None:
        """Makes ready for so many requests, unmeasured."""

    def request(self, text: str) -> bytes:
        """The next request, whole."""

    def resident(self) -> dict[str, float]:
        """The memory of its processes in MiB."""


@dataclass
class Completions:
    """OpenAI's protocol: the provider itself, or a proxy in front of it. Its processes descend from `pid`."""

    name: str
    address: str
    pid: int
    key: str = chat_litellm.KEY

    async def prepare(self, answers: int, at_once: int) -> None:
        pass

    def request(self, text: str) -> bytes:
        body = {
            "model": chat_litellm.MODEL,
            "messages": [{"role": "user", "content": text}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return post("/v1/chat/completions", self.key, json.dumps(body).encode())

    def resident(self) -> dict[str, float]:
        process = psutil.Process(self.pid)
        return {self.name: _mib([self.pid, *(child.pid for child in process.children(recursive=True))])}


@dataclass(frozen=True)
class _Seat:
    """A person in a conversation."""

    token: str
    conversation: str


@dataclass
class Ours:
    """REST and Server-Sent Events at the edge of a stack; every turn is somebody's, is paid for and kept."""

    stack: Stack
    name: str = "SceneMesh"
    _seats: deque[_Seat] = field(default_factory=deque)
    _persons: count[int] = field(default_factory=count)

    @property
    def address(self) -> str:
        return urlsplit(self.stack.url).netloc

    async def prepare(self, answers: int, at_once: int) -> None:
        # A conversation's turns are far enough apart that one has ended before the next begins.
        persons = max(-(-answers // TURNS_PER_PERSON), min(2 * at_once, answers))
        few = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(self.stack.url) as session:
            seats = await asyncio.gather(*(self._seat(session, few) for _ in range(persons)))
        self._seats = deque((seats * TURNS_PER_PERSON)[:answers])

    async def _seat(self, session: aiohttp.ClientSession, few: asyncio.Semaphore) -> _Seat:
        token = self.stack.token(user=f"person-{next(self._persons)}")
        headers, body = {"authorization": f"Bearer {token}"}, {"character": CHARACTER}
        async with few, session.post("/v1/conversations", json=body, headers=headers) as answer:
            answer.raise_for_status()
            return _Seat(token, (await answer.json())["name"])

    def request(self, text: str) -> bytes:
        seat = self._seats.popleft()
        return post(f"/v1/{seat.conversation}/messages:send", seat.token, json.dumps({"text": text}).encode())

    def resident(self) -> dict[str, float]:
        return {name: _mib(self.stack.pids(part)) for name, part in (("chat_svc", "chat"), ("Envoy", "envoy"))}


def _mib(pids: Sequence[int]) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20
