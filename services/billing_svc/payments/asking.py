"""Asking providers over HTTP, within limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from runtime.errors import Internal, Unavailable
from services.billing_svc.payments.body import BadBody, Model, parsed, read

TOTAL_SECONDS = 8.0
CONNECT_SECONDS = 3.0
CONNECTIONS_MAX = 20
ANSWER_BYTES_MAX = 1_000_000
PASSING_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Answer:
    """A status that will be the same when it is asked again, and the JSON object that came with it."""

    status: int
    body: Mapping[str, Any]

    def of(self, model: type[Model]) -> Model:
        """What was asked for. Internal (PROVIDER_REFUSED) for all else: our settings are wrong, or its API is new."""
        if self.status // 100 == 2:
            try:
                return read(model, self.body)
            except BadBody as error:
                raise Internal("The provider's answer has another shape.", reason="PROVIDER_REFUSED") from error
        raise Internal(f"The provider refuses with the HTTP status {self.status}.", reason="PROVIDER_REFUSED")


class Asking:
    """`post` sends JSON."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Unavailable (PROVIDER_UNAVAILABLE) when there is no answer, or one that says to try again."""
        try:
            async with self._session.post(url, headers=headers, data=body, allow_redirects=False) as response:
                status = response.status
                if status >= 500 or status in PASSING_STATUSES:
                    raise _unavailable(f"it answers with the HTTP status {status}")
                return Answer(status, parsed(await _whole(response)))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(type(error).__name__) from error
        except BadBody as error:
            raise _unavailable("its answer is not JSON") from error


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise _unavailable(f"its answer has over {ANSWER_BYTES_MAX} bytes")
    return bytes(body)


def _unavailable(why: str) -> Unavailable:
    return Unavailable(f"The provider does not answer: {why}.", reason="PROVIDER_UNAVAILABLE")


@asynccontextmanager
async def asking() -> AsyncIterator[Asking]:
    """Connections to providers, for as long as the block runs."""
    timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield Asking(session)
