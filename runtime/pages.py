"""Page tokens: opaque to callers, bound to the query that they go on with."""

import base64
import binascii
import json

from runtime.errors import InvalidArgument, Violation


def token(scope: str, position: list[str]) -> str:
    """The token that goes on after `position` (the last row's sort key) of the query that `scope` names."""
    return base64.urlsafe_b64encode(json.dumps([scope, *position]).encode()).decode().rstrip("=")


def position(scope: str, page_token: str, length: int) -> list[str] | None:
    """The position in a token; None for the first page. InvalidArgument for a token of another query."""
    if not page_token:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(page_token + "=" * (-len(page_token) % 4)))
    except (binascii.Error, ValueError):
        parts = None
    sound = isinstance(parts, list) and len(parts) == length + 1 and all(_is_text(part) for part in parts)
    if not sound or parts[0] != scope:
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument("page_token: is not the next_page_token of this query", violations=[fault])
    return list(parts[1:])


def _is_text(part: object) -> bool:
    """Whether it is text that a database takes: nobody signs tokens, and anybody can write one."""
    return isinstance(part, str) and not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in part)
