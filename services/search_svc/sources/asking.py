"""Many questions at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from services.search_svc.sources.source import SourceError
from services.search_svc.sources.web import Unanswered

# A title that a service cannot give must not end a sync; if it is several out of one batch, it is not the titles.
UNANSWERED_MAX = 3

Key = TypeVar("Key")
Answer = TypeVar("Answer")


async def each(keys: Iterable[Key], ask: Callable[[Key], Awaitable[Answer]]) -> list[Answer | Unanswered]:
    """The answers in the order of the keys. A few may be Unanswered; when it is more than a few, that is raised."""
    unanswered = 0

    async def tolerant(key: Key) -> Answer | Unanswered:
        nonlocal unanswered
        try:
            return await ask(key)
        except Unanswered as error:
            unanswered += 1
            if unanswered > UNANSWERED_MAX:
                raise
            return error

    try:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(tolerant(key)) for key in keys]
    except ExceptionGroup as group:
        known, others = group.split(SourceError)
        if known is None or others is not None:
            raise
        raise known.exceptions[0] from group
    return [task.result() for task in asked]
