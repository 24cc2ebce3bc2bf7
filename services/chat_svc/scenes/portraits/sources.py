"""Who on the web is asked about characters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from services.chat_svc.scenes.portraits.portraits import Source
from services.chat_svc.scenes.portraits.tmdb import Tmdb
from services.chat_svc.scenes.portraits.web import SECONDS_MAX
from services.chat_svc.scenes.portraits.wikipedia import Wikipedia
from services.chat_svc.settings import Settings


@asynccontextmanager
async def sources(settings: Settings) -> AsyncIterator[tuple[Source, ...]]:
    """Those that the settings name, with connections while the block runs."""
    async with httpx2.AsyncClient(timeout=SECONDS_MAX, follow_redirects=True) as client:
        asked: list[Source] = []
        if settings.tmdb_key is not None:
            asked.append(Tmdb(client, settings.tmdb_url, settings.tmdb_key))
        if settings.wikipedia_url is not None:
            asked.append(Wikipedia(client, settings.wikipedia_url))
        yield tuple(asked)
