"""Sources that talk to fakes, and runs of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import SecretStr

from services.search_svc.domain.entries import Title
from services.search_svc.domain.sync import Mode
from services.search_svc.sources.jikan import JikanSource, jikan
from services.search_svc.sources.source import Batch, Cursor, Source
from services.search_svc.sources.tmdb import TmdbSource, tmdb
from services.search_svc.sources.web import Limits
from tests.service.search_svc.sources.fake_jikan import FakeJikan
from tests.service.search_svc.sources.fake_tmdb import KEY, FakeTmdb

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
# Quick to try again, and to give up.
QUICK = Limits(
    calls_per_second=100_000,
    burst=1000,
    attempts_max=3,
    attempt_seconds=10.0,
    total_seconds=30.0,
    backoff_seconds=0.001,
    backoff_seconds_max=0.001,
    jitter_seconds=0.0,
)
# Gives up soon on what never ends.
IMPATIENT = replace(QUICK, attempt_seconds=0.3)


async def no_wait(seconds: float) -> None:
    """Takes no time."""


def source_of(
    fake: FakeTmdb,
    *,
    key: str = KEY,
    wait: Callable[[float], Awaitable[None]] = no_wait,
    pages_max: int = 500,
    limits: Limits = QUICK,
) -> AbstractAsyncContextManager[TmdbSource]:
    return tmdb(
        SecretStr(key),
        fake.url,
        fake.exports.url,
        lambda: NOW,
        limits=limits,
        export_limits=limits,
        wait=wait,
        pages_max=pages_max,
    )


def anime_of(fake: FakeJikan) -> AbstractAsyncContextManager[JikanSource]:
    return jikan(fake.url, lambda: NOW, limits=QUICK, wait=no_wait)


async def read(
    source: Source,
    mode: Mode = Mode.FULL,
    cursor: Cursor | None = None,
    *,
    titles_max: int = 100,
    since: datetime | None = None,
    batches_max: int = 1_000_000,
) -> list[Batch]:
    """What a run brings, as far as it is let."""
    brought: list[Batch] = []
    batches = cast("AsyncGenerator[Batch, None]", source.batches(mode, cursor or {}, titles_max, since))
    async with aclosing(batches):
        async for batch in batches:
            brought.append(batch)
            if len(brought) == batches_max:
                break
    return brought


async def read_in_pieces(source: Source, mode: Mode = Mode.FULL, **told: Any) -> list[Batch]:
    """What runs bring that all end after one batch, each going on where the one before was."""
    brought: list[Batch] = []
    cursor: Cursor = {}
    while batches := await read(source, mode, cursor, batches_max=1, **told):
        brought += batches
        cursor = batches[-1].cursor
    return brought


def titles(batches: list[Batch]) -> list[Title]:
    return [title for batch in batches for title in batch.titles]


def steps(batches: list[Batch]) -> list[tuple[str, int, int]]:
    """What each batch says of how far it is."""
    return [(batch.step, batch.done, batch.total) for batch in batches]


def faults(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(fault.place, fault.description) for batch in batches for fault in batch.faults]
