"""SillyTavern's chats: a header and then one message a line, each with the swipes that might stand in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from services.chat_svc.archive.parsed import parsed
from services.chat_svc.archive.story import (
    Line,
    Story,
    Told,
    Untold,
    line,
    misshapen,
    moment,
    newest,
    ordered,
    text,
    unreadable,
)

# «2024-3-5@14h02m05s», with or without spaces and milliseconds.
CLOCK = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\s*@\s*(\d{1,2})h\s*(\d{1,2})m\s*(\d{1,2})s")
# «June 19, 2023 2:20pm».
WORDS = "%B %d, %Y %I:%M%p"


def read(content: bytes) -> Told:
    """The one conversation of a file."""
    rows = [parsed(row) for row in content.splitlines() if row.strip()]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise unreadable("it holds no lines of JSON objects")
    header = rows[0] if "mes" not in rows[0] else {}
    if header and "character_name" not in header and "user_name" not in header:
        raise unreadable("its first line is no header of a chat")
    title = line(header.get("character_name"))
    try:
        said = [row for row in rows[1 if header else 0 :] if not row.get("is_system")]
        lines = ordered(_lines(said), title)
    except Untold as error:
        return [error]
    except (TypeError, ValueError) as error:
        return [misshapen(title, error)]
    chosen = _chosen(said)
    return [Story(title, lines, chosen or newest(lines), _when(header.get("create_date")))]


def _lines(said: list[dict[str, Any]]) -> Iterator[Line]:
    parent: str | None = None
    for number, row in enumerate(said):
        swipes, chosen = _swipes(row)
        for place, swipe in enumerate(swipes):
            yield Line(f"{number}.{place}", parent, bool(row.get("is_user")), text(swipe), _when(row.get("send_date")))
        parent = f"{number}.{chosen}"


def _swipes(row: dict[str, Any]) -> tuple[list[Any], int]:
    """What might stand in a line's place, and which of it does."""
    swipes, chosen = row.get("swipes"), row.get("swipe_id")
    if row.get("is_user") or not isinstance(swipes, list) or not swipes:
        return [row.get("mes")], 0
    place = chosen if isinstance(chosen, int) and 0 <= chosen < len(swipes) else len(swipes) - 1
    # The line itself is what stands there now: it may have been edited since it was swiped.
    return [row.get("mes") if number == place else swipe for number, swipe in enumerate(swipes)], place


def _chosen(said: list[dict[str, Any]]) -> str | None:
    return f"{len(said) - 1}.{_swipes(said[-1])[1]}" if said else None


def _when(value: Any) -> datetime | None:
    if isinstance(value, str):
        if found := CLOCK.match(value):
            try:
                return datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
            except ValueError:
                return None
        try:
            return datetime.strptime(value, WORDS).replace(tzinfo=UTC)
        except ValueError:
            pass
    return moment(value)
