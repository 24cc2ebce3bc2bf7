"""Asks a service on the web for JSON: once, briefly, and not for much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2

SECONDS_MAX = 4.0
BODY_BYTES_MAX = 512 * 1024


class Unanswered(Exception):
    """There was no usable answer: why."""


async def asked(
    client: httpx2.AsyncClient, url: str, parameters: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON object at a URL; an empty one where nothing is there. Raises Unanswered."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            async with client.stream("GET", url, params=dict(parameters), headers=dict(headers)) as response:
                if response.status_code == 404:
                    return {}
                if response.status_code != 200:
                    raise Unanswered(f"HTTP status {response.status_code}")
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > BODY_BYTES_MAX:
                        raise Unanswered("too much")
        found = json.loads(body)
    except TimeoutError as error:
        raise Unanswered("too late") from error
    except (httpx2.HTTPError, ValueError, RecursionError) as error:
        raise Unanswered(type(error).__name__) from error
    if not isinstance(found, dict):
        raise Unanswered("another shape")
    return found
