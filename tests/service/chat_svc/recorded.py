"""What real providers sent, out of the folder that SCENEMESH_STREAMS names, and a server that sends it again.

The folder holds files of JSON lines: each has where it is from, its `status`, and all that came as its `body`. In
`anthropic_sdk_fixtures` are streams as they came, a file each.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Refused
from services.chat_svc.domain.model import Limits, Model, Wire
from services.chat_svc.domain.prompt import Prompt, Turn

FOLDER = os.environ.get("SCENEMESH_STREAMS")
PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Well?"),))
ABSENT = pytest.param(None, id="recorded", marks=pytest.mark.skip("SCENEMESH_STREAMS names no folder of streams"))
needs_recorded = pytest.mark.skipif(not FOLDER, reason="SCENEMESH_STREAMS names no folder of streams")


@dataclass(frozen=True)
class Recorded:
    """An answer of a provider, and where it is from."""

    name: str
    body: str
    status: int = 200


@dataclass(frozen=True)
class Read:
    """What a reader found in a stream; `ending` is None where the model refused."""

    text: str
    ending: Completed | None


def recorded(file: str) -> list[Recorded]:
    """All that a file of the folder has; there is at least one."""
    with gzip.open(Path(str(FOLDER)) / file, "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    assert told, f"{file} is empty"
    return [Recorded(f"{one['package']}/{one['cassette']}/{one['index']}", one["body"], one["status"]) for one in told]


def fixtures() -> list[Recorded]:
    """The streams that Anthropic tests its own SDK with; the files lack the last line, which ends the last event."""
    files = sorted((Path(str(FOLDER)) / "anthropic_sdk_fixtures").iterdir())
    assert files, "there are no fixtures"
    return [Recorded(file.name, file.read_text(encoding="utf-8").rstrip("\n") + "\n\n") for file in files]


class Replayer:
    """Answers every request with the same. `url` is the server's root."""

    def __init__(self) -> None:
        self.url = ""
        self.body = ""
        self.status = 200
        self.content_type = "text/event-stream"

    def base_url(self, wire: Wire) -> str:
        return self.url if wire is Wire.ANTHROPIC else f"{self.url}/v1"

    def sends(self, one: Recorded, content_type: str = "text/event-stream") -> None:
        self.body, self.status, self.content_type = one.body, one.status, content_type

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self.body.encode(), status=self.status, content_type=self.content_type)


@asynccontextmanager
async def replaying() -> AsyncIterator[Replayer]:
    replayer = Replayer()
    application = web.Application()
    application.add_routes([web.post("/{path:.*}", replayer.answer)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    replayer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield replayer
    await runner.cleanup()


async def read(wire: Wire, replayer: Replayer) -> Read:
    """What our own provider finds."""
    model = Model("m", wire, "m", replayer.base_url(wire), 8_000, 500, Limits(10, 10))
    text, ending = "", None
    async with providers.opened([(model, "k")]) as (provider,):
        try:
            async for word in provider.answer(PROMPT):
                if isinstance(word, Completed):
                    ending = word
                else:
                    text += word
        except Refused:
            return Read(text, None)
    return Read(text, ending)
