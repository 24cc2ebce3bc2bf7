"""The Movie Database and Wikipedia, pretended at the wire: what they know is what a test tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "a-key"


@dataclass
class Lore:
    """`overviews` are by title, `extracts` by page; both sites fail while they are `broken`, and count who asks."""

    overviews: dict[str, str] = field(default_factory=dict)
    extracts: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What makes a stack ask here."""
        return {
            "SCENEMESH_TMDB_KEY": KEY,
            "SCENEMESH_TMDB_URL": f"{self.url}/3",
            "SCENEMESH_WIKIPEDIA_URL": f"{self.url}/api/rest_v1",
        }

    async def search(self, request: web.Request) -> web.Response:
        title = request.query["query"]
        self.asked.append(("tmdb", title))
        if self.broken:
            return web.Response(status=503)
        if request.query.get("api_key") != KEY:
            return web.Response(status=401)
        known = [{"media_type": "tv", "name": name, "overview": text} for name, text in self.overviews.items()]
        return web.json_response({"results": [one for one in known if one["name"] == title]})

    async def summary(self, request: web.Request) -> web.Response:
        page = unquote(request.match_info["page"])
        self.asked.append(("wikipedia", page))
        if self.broken:
            return web.Response(text="<html>")
        if page not in self.extracts:
            return web.json_response({"type": "Internal error"}, status=404)
        return web.json_response({"type": "standard", "extract": self.extracts[page]})


@asynccontextmanager
async def lore() -> AsyncIterator[Lore]:
    """Both sites, while the block runs."""
    known, application = Lore(), web.Application()
    application.router.add_get("/3/search/multi", known.search)
    application.router.add_get("/api/rest_v1/page/summary/{page}", known.summary)
    async with TestServer(application) as server:
        known.url = str(server.make_url("")).rstrip("/")
        yield known
