"""What the fakes of services on the web have in common: they remember what they were asked, and get into trouble."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Trouble:
    """What a request gets instead of its answer.

    `body` stands in for the answer; `cut` sends half of it and closes the connection; `stall` sends half of it and then
    nothing.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: bool = False
    stall: bool = False


@dataclass(frozen=True)
class Asked:
    """A request: its path below the API's root, its query, its headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class FakeWeb:
    """Answers what `answers` has for a path, as JSON, or 404. `url` is the API's root."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._next: dict[str, deque[Trouble]] = {}
        self._always: dict[str, Trouble] = {}

    def trouble(self, path: str, *troubles: Trouble) -> None:
        """What the next requests of a path get, in order; `*` are those of any path."""
        self._next.setdefault(path, deque()).extend(troubles)

    def always(self, path: str, trouble: Trouble | None) -> None:
        """What every request of a path gets; `*` are those of any path, None ends it."""
        if trouble is None:
            self._always.pop(path, None)
        else:
            self._always[path] = trouble

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def answer(self, asked: Asked) -> web.Response:
        raise NotImplementedError

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.match_info["path"], dict(request.query), {k.lower(): v for k, v in request.headers.items()}
        )
        self.asked.append(asked)
        trouble = self._trouble(asked.path)
        if trouble is None:
            return self.answer(asked)
        body = trouble.body if trouble.body is not None else _body(self.answer(asked))
        if trouble.cut or trouble.stall:
            return await _half(request, trouble, body)
        return web.Response(status=trouble.status, headers=dict(trouble.headers), body=body)

    def _trouble(self, path: str) -> Trouble | None:
        for key in (path, "*"):
            if self._next.get(key):
                return self._next[key].popleft()
            if key in self._always:
                return self._always[key]
        return None


def not_found() -> web.Response:
    return web.json_response(
        {"success": False, "status_code": 34, "status_message": "The resource you requested could not be found."},
        status=404,
    )


def paged(rows: list[Any], asked: Asked, size: int) -> tuple[int, list[Any], int]:
    """The page that is asked for, its rows, and how many pages there are."""
    page = int(asked.query.get("page", "1"))
    return page, rows[(page - 1) * size : page * size], max(1, -(-len(rows) // size))


@asynccontextmanager
async def served(*fakes: tuple[str, FakeWeb]) -> AsyncIterator[None]:
    """Serves fakes below paths of one server while the block runs, on a free port."""
    application = web.Application()
    for root, fake in fakes:
        application.add_routes([web.get(f"/{root}/{{path:.*}}", fake.handle)])
    runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for root, fake in fakes:
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{root}"
    try:
        yield
    finally:
        await runner.cleanup()


def _body(response: web.Response) -> bytes:
    body = response.body
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


async def _half(request: web.Request, trouble: Trouble, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(status=trouble.status, headers={**trouble.headers, "content-length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if trouble.stall:
        await asyncio.Event().wait()
    if request.transport is not None:
        request.transport.close()
    return response
