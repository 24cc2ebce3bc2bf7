"""A sync as a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from services.search_svc.domain.sync import Format, Mode, State, Sync, Upload

# What an uploaded file is stands in the cursor, beside what its source keeps there.
FILE = "file"


def sync_from(row: Record) -> Sync:
    cursor = json.loads(row["cursor"])
    upload = cursor.pop(FILE, None)
    return Sync(
        id=row["id"],
        source=row["source"],
        mode=Mode(row["mode"]),
        titles_max=row["titles_max"],
        created=row["created_at"],
        upload=Upload(Format(upload["format"]), upload["gzip"]) if upload is not None else None,
        state=State(row["state"]),
        cancel_requested=row["cancel_requested"],
        cursor=cursor,
        step=row["step"],
        done=row["done"],
        total=row["total"],
        titles_kept=row["titles_kept"],
        characters_kept=row["characters_kept"],
        titles_removed=row["titles_removed"],
        faults_total=row["faults_total"],
        faults=tuple((place, description) for place, description in json.loads(row["faults"])),
        error=row["error"],
        index_version=row["index_version"],
        ended=row["ended_at"],
    )


async def only(database: PoolConnectionProxy, statement: str, *arguments: object) -> Sync:
    """The one sync that a statement gives back."""
    (row,) = await database.fetch(statement, *arguments)
    return sync_from(row)


def cursor_of(sync: Sync, cursor: Mapping[str, Any]) -> str:
    """The cursor that a sync stores once its source is at `cursor`."""
    upload = {FILE: {"format": sync.upload.format, "gzip": sync.upload.gzip}} if sync.upload is not None else {}
    return json.dumps({**cursor, **upload})
