"""Index versions in Postgres: which there are, who builds the next one, which one serves."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import NotFound
from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.search_svc.domain.comparing import Comparison
from services.search_svc.domain.version import (
    KEPT_MAX,
    Activation,
    Built,
    Counts,
    Failed,
    Order,
    Outcome,
    State,
    Version,
)
from services.search_svc.store import version_statements as statements

# So many versions that are not on disk are remembered.
REMEMBERED_MAX = 100

ABANDONED = "The process that built it died; it is built anew."


class Versions:
    """`announce` makes the event that tells others of an activation."""

    def __init__(self, pool: Pool, announce: Callable[[Activation], Envelope]) -> None:
        self._pool = pool
        self._announce = announce

    async def version(self, number: int) -> Version:
        """NOT_FOUND when there is none."""
        async with connection(self._pool) as database:
            return await _version(database, number)

    async def page(self, before: int | None, count: int) -> list[Version]:
        """At most `count` versions, newest first, of those numbered below `before`."""
        async with connection(self._pool) as database:
            return [_read(row) for row in await database.fetch(statements.PAGE, before, count)]

    async def active(self) -> Version | None:
        """The version that should serve."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(statements.ACTIVE)
        return _read(row) if row is not None else None

    async def fit(self) -> list[Version]:
        """Those on disk that may serve, newest first."""
        async with connection(self._pool) as database:
            return [_read(row) for row in await database.fetch(statements.FIT)]

    async def unwanted(self, numbers: Sequence[int]) -> list[int]:
        """Of these numbers of files, those that no version needs any more."""
        async with connection(self._pool) as database:
            return [row["number"] for row in await database.fetch(statements.UNWANTED, numbers)]

    async def create(self, now: datetime) -> Version:
        """A version that the next process that is free builds, or the one that is being built."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute(statements.LOCK)
            building = await database.fetchval(statements.BUILDING)
            number = building or await database.fetchval(statements.CREATE, None, None, now)
            return await _version(database, number)

    async def wish(self, now: datetime) -> None:
        """Asks for a build, unless one is under way or asked for."""
        async with connection(self._pool) as database:
            await database.execute(statements.WISH_ONCE, now)

    async def begin(self, owner: UUID, now: datetime, lease: timedelta) -> Order | None:
        """Takes a build that is wanted and that nobody is at; None when there is none."""
        async with connection(self._pool) as database:
            if not await database.fetchval(statements.WORK, now):
                return None
            async with database.transaction():
                await database.execute(statements.LOCK)
                return await _begin(database, owner, now, now + lease)

    async def renew(self, number: int, owner: UUID, until: datetime) -> bool:
        """Whether the build is still this owner's."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval(statements.RENEW, number, owner, until))

    async def finish(
        self, number: int, owner: UUID, outcome: Outcome, build_time: timedelta, now: datetime
    ) -> Version | None:
        """Writes down what became of a build, and puts a version that may serve into service, in one transaction.

        None when the build is not this owner's any more.
        """
        async with connection(self._pool) as database, database.transaction():
            await database.execute(statements.LOCK)
            if not await database.fetchval(statements.FINISH, number, owner, *_columns(outcome), build_time):
                return None
            if isinstance(outcome, Failed) and outcome.again:
                await database.execute(statements.WISH_AGAIN, now, [number])
            finished = await _version(database, number)
            if finished.state is State.READY:
                await self._activate(database, finished, "", now)
            await database.execute(statements.REMOVE, KEPT_MAX)
            await database.execute(statements.FORGET, REMEMBERED_MAX)
            return await _version(database, number)

    async def activate(self, number: int, operator: str, now: datetime) -> tuple[Version, bool]:
        """Puts a version into service, and says whether it was not. FAILED_PRECONDITION when it is not on disk."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute(statements.LOCK)
            wanted = await _version(database, number)
            wanted.check_on_disk()
            if not wanted.active:
                await self._activate(database, wanted, operator, now)
            return await _version(database, number), not wanted.active

    async def _activate(self, database: PoolConnectionProxy, version: Version, operator: str, now: datetime) -> None:
        replaced = await database.fetchval(statements.ACTIVE_NUMBER)
        await database.execute(statements.ACTIVATE, version.number, operator, now)
        activation = Activation(version.number, replaced, version.counts.entries, operator)
        await append(database, [self._announce(activation)])


async def _begin(database: PoolConnectionProxy, owner: UUID, now: datetime, until: datetime) -> Order | None:
    if abandoned := await database.fetch(statements.ABANDON, now, ABANDONED):
        await database.execute(statements.WISH_AGAIN, now, [row["number"] for row in abandoned])
    number = await database.fetchval(statements.TAKE, owner, until)
    if number is None:
        if not await database.fetchval(statements.WANTED):
            return None
        number = await database.fetchval(statements.CREATE, owner, until, now)
    # What is wished from now on is for the next build: this one may have read the catalogue already.
    await database.execute(statements.GRANT, number)
    active = await database.fetchrow(statements.ACTIVE)
    return Order(number, active["number"], active["checksum"]) if active is not None else Order(number)


async def _version(database: PoolConnectionProxy, number: int) -> Version:
    row = await database.fetchrow(statements.ONE, number)
    if row is None:
        raise NotFound(f"There is no index version {number}.", reason="INDEX_VERSION_NOT_FOUND")
    return _read(row)


def _columns(outcome: Outcome) -> tuple[str, str, int, int, int, int, str | None, str]:
    """State, checksum, size, titles, characters, actors, comparison, error."""
    if isinstance(outcome, Failed):
        return State.FAILED.value, "", 0, 0, 0, 0, None, outcome.error
    return _columns_of_built(outcome)


def _columns_of_built(built: Built) -> tuple[str, str, int, int, int, int, str | None, str]:
    state = State.REFUSED if built.refusal else State.READY
    summary, counts = built.summary, built.summary.counts
    comparison = json.dumps(asdict(built.comparison)) if built.comparison is not None else None
    figures = (summary.size_bytes, counts.titles, counts.characters, counts.actors)
    return state.value, summary.checksum, *figures, comparison, built.refusal


def _read(row: Record) -> Version:
    comparison = row["comparison"]
    return Version(
        number=row["number"],
        state=State(row["state"]),
        created=row["created_at"],
        active=row["active"],
        checksum=row["checksum"],
        size_bytes=row["size_bytes"],
        counts=Counts(row["titles"], row["characters"], row["actors"]),
        comparison=Comparison.from_json(json.loads(comparison)) if comparison is not None else None,
        error=row["error"],
        build_time=timedelta(milliseconds=row["build_ms"]),
        activated=row["activated_at"],
        activated_by=row["activated_by"] or "",
    )
