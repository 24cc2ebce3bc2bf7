"""How Jikan is reached, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from services.search_svc.sources.jikan.source import JikanSource
from services.search_svc.sources.web import Limits, web

# Jikan's limits are 3 calls a second and 60 a minute; this is at most 3 and 57.
LIMITS = Limits(calls_per_second=0.9, burst=3, concurrent_max=3)


@asynccontextmanager
async def jikan(
    url: str,
    clock: Callable[[], datetime],
    *,
    limits: Limits = LIMITS,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[JikanSource]:
    """The source while the block runs. `url` is that of the API with its version."""
    async with web("Jikan", url, limits, wait=wait, clock=clock) as api:
        yield JikanSource(api)
