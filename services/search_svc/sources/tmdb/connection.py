"""How TMDB is reached: with which key, and how often."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from pydantic import SecretStr

from services.search_svc.sources.tmdb.source import PAGES_MAX, TmdbSource
from services.search_svc.sources.web import Key, Limits, web

SETTING = "SCENEMESH_TMDB_KEY"
# A version 4 key is a JSON Web Token; one of version 3 is a parameter.
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# TMDB's limit is about 40 calls a second.
API_LIMITS = Limits(calls_per_second=35, burst=4)
# One file may have tens of megabytes.
EXPORT_LIMITS = Limits(
    calls_per_second=2,
    burst=2,
    concurrent_max=1,
    body_bytes_max=256 * 1024 * 1024,
    attempt_seconds=300,
    total_seconds=900,
)
# Where exports are, a file that is not there is forbidden.
NO_FILE = frozenset({403, 404, 410})


@asynccontextmanager
async def tmdb(
    key: SecretStr,
    url: str,
    exports_url: str,
    clock: Callable[[], datetime],
    *,
    limits: Limits = API_LIMITS,
    export_limits: Limits = EXPORT_LIMITS,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    pages_max: int = PAGES_MAX,
) -> AsyncIterator[TmdbSource]:
    """The source while the block runs. `url` is where the API is, with its version, `exports_url` the daily exports."""
    value = key.get_secret_value().strip()
    known = Key(SecretStr(value), SETTING, parameter="" if TOKEN.fullmatch(value) else "api_key")
    async with (
        web("TMDB", url, limits, key=known, wait=wait, clock=clock) as api,
        web("TMDB", exports_url, export_limits, gone=NO_FILE, wait=wait, clock=clock) as exports,
    ):
        yield TmdbSource(api, exports, clock, pages_max)
