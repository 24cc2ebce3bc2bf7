"""What happens to one event: its effect and the note that it was handled become true together."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import MeshError
from runtime.events.envelope import topic
from scenemesh.events.v1.envelope_pb2 import Envelope

# Gets a connection inside the transaction, and the event. What it does elsewhere than on that connection may happen
# more than once. It lets its errors pass: Postgres takes nothing more in a transaction in which a statement failed.
Handler = Callable[[PoolConnectionProxy, Envelope], Awaitable[None]]

HANDLE_SECONDS_MAX = 30.0

NOTE = """
    INSERT INTO inbox (consumer_group, event_id) VALUES ($1, $2)
    ON CONFLICT DO NOTHING RETURNING true
"""


class Handling:
    """The handlers of one group, by an event's type or, for all of a topic, by the topic."""

    def __init__(self, group: str, handlers: Mapping[str, Handler]) -> None:
        self.group = group
        self._handlers = dict(handlers)

    @property
    def topics(self) -> set[str]:
        return {topic(key) for key in self._handlers}

    async def once(self, database: PoolConnectionProxy, event: Envelope) -> None:
        """Handles an event, unless this group has. An event that nobody handles is nobody's concern."""
        handler = self._handlers.get(event.type) or self._handlers.get(topic(event.type))
        if handler is None:
            return
        async with asyncio.timeout(HANDLE_SECONDS_MAX), database.transaction():
            if await database.fetchval(NOTE, self.group, UUID(event.id)):
                await handler(database, event)


def described(error: Exception) -> str:
    """What went wrong and where, without the values that it went wrong with: those may be somebody's secret."""
    name = type(error).__name__
    if isinstance(error, MeshError):
        return f"{name}: {error.reason}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{name} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else name
