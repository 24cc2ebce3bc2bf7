"""Signs of life between the things that a stream gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

Found = TypeVar("Found")


async def paced(found: AsyncGenerator[Found, None], seconds: float) -> AsyncGenerator[Found | None, None]:
    """What `found` gives, which is never None, and None whenever it gave nothing for so long.

    Closing it closes `found`.
    """
    following: asyncio.Task[Found | None] | None = None
    try:
        while True:
            following = following or asyncio.create_task(_next(found))
            done, _ = await asyncio.wait([following], timeout=seconds)
            if not done:
                yield None
                continue
            one, following = following.result(), None
            if one is None:
                return
            yield one
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await found.aclose()


async def _next(found: AsyncGenerator[Found, None]) -> Found | None:
    return await anext(found, None)
