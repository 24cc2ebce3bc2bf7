"""JSON in files, read with care."""

import json
from typing import Any

from services.chat_svc.archive.story import unreadable


def parsed(content: bytes) -> Any:
    """What the bytes say; InvalidArgument where they are no JSON."""
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        nested = isinstance(error, RecursionError)
        raise unreadable("its JSON is nested too deeply" if nested else "it is no JSON") from error


def _refused(constant: str) -> Any:
    raise ValueError(constant)
