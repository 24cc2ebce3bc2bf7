"""Asks a service on the web for JSON, within its limits and ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar, cast

import httpx2
import stamina
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from services.search_svc.sources.source import Json, SourceError

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})

Read = TypeVar("Read")


class Unanswered(SourceError):
    """The request of one path got no usable answer, however often it was sent; others may."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class _Passing(Exception):
    """What may be better the next time: `why`. The log of retries tells the rest too."""

    def __init__(self, name: str, path: str, why: str) -> None:
        super().__init__(name, path, why)
        self.why = why


class Gone:
    """Nothing is there."""


GONE: Final = Gone()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of a service, and how long it may take to answer.

    A leaky bucket lets `burst` calls pass at once, so that `calls_per_second + burst` is the most in any second.
    `attempt_seconds` bounds one exchange, `total_seconds` all attempts with the pauses between them.
    """

    calls_per_second: float
    burst: int
    concurrent_max: int = 16
    body_bytes_max: int = 8 * 1024 * 1024
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    attempt_seconds: float = 30.0
    total_seconds: float = 240.0
    attempts_max: int = 6
    backoff_seconds: float = 0.5
    backoff_seconds_max: float = 15.0
    jitter_seconds: float = 0.5
    retry_after_seconds_max: float = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """What a service knows us by: a parameter of the query, or a bearer token when `parameter` is empty.

    `setting` is the name of the environment variable that it comes from.
    """

    value: SecretStr
    setting: str
    parameter: str = ""


class Web:
    """A service on the web; `name` is what people call it. See `web`, which opens one."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        name: str,
        base_url: str,
        limits: Limits,
        key: Key | None,
        gone: frozenset[int],
        wait: Callable[[float], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._key = key
        self._gone = gone
        self._wait = wait
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.concurrent_max)
        self._limiter = AsyncLimiter(limits.burst, limits.burst / limits.calls_per_second)
        # In the loop's time: until then, nothing is asked by anybody.
        self._resume_at = 0.0
        self._retried = stamina.AsyncRetryingCaller(
            attempts=limits.attempts_max,
            timeout=None,
            wait_initial=limits.backoff_seconds,
            wait_max=limits.backoff_seconds_max,
            wait_jitter=limits.jitter_seconds,
        )

    async def json(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Json | Gone:
        """What stands at a path. SourceError when the service refuses, Unanswered when there is no usable answer."""
        return await self._asked(path, parameters or {}, _parsed)

    async def body(self, path: str) -> bytes | Gone:
        """The bytes of a file."""
        return await self._asked(path, {}, bytes)

    async def _asked(
        self, path: str, parameters: Mapping[str, str | int], read: Callable[[bytearray], Read]
    ) -> Read | Gone:
        url = httpx2.URL(f"{self._base_url}/{path}", params=dict(parameters))
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                return await self._retried(_Passing, self._attempt, path, url, read)
        except _Passing as error:
            raise self._unanswered(path, f"{error.why}, {self._limits.attempts_max} times in a row") from error
        except TimeoutError as error:
            raise self._unanswered(path, f"not within {self._limits.total_seconds:g} seconds") from error

    def _unanswered(self, path: str, why: str) -> Unanswered:
        told = f"{self._name} gave no usable answer to {path}: {why}. Resume the sync when it answers again."
        return Unanswered(path, told)

    def _passing(self, path: str, why: str) -> _Passing:
        return _Passing(self._name, path, why)

    async def _attempt(self, path: str, url: httpx2.URL, read: Callable[[bytearray], Read]) -> Read | Gone:
        async with self._slots:
            await self._turn()
            try:
                async with asyncio.timeout(self._limits.attempt_seconds):
                    body = await self._exchanged(path, url)
            except TimeoutError as error:
                raise self._passing(path, f"no whole answer within {self._limits.attempt_seconds:g} seconds") from error
            except httpx2.RequestError as error:
                raise self._passing(path, f"the connection failed ({type(error).__name__})") from error
        if isinstance(body, Gone):
            return body
        try:
            return read(body)
        except (ValueError, RecursionError) as error:
            raise self._passing(path, "the answer is not JSON") from error

    async def _turn(self) -> None:
        paused = self._resume_at - asyncio.get_running_loop().time()
        if paused > 0:
            await self._wait(paused)
        await self._limiter.acquire()

    async def _exchanged(self, path: str, url: httpx2.URL) -> bytearray | Gone:
        headers, extensions = self._credentials(url)
        async with self._client.stream("GET", url, headers=headers, extensions=extensions) as response:
            if response.status_code in self._gone:
                return GONE
            self._check(path, response)
            body, bytes_max = bytearray(), self._limits.body_bytes_max
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > bytes_max:
                    raise Unanswered(path, f"{self._name}'s answer to {path} has over {bytes_max} bytes.")
            return body

    def _credentials(self, url: httpx2.URL) -> tuple[dict[str, str], dict[str, bytes]]:
        """What carries the key. As an override of the target it is in no URL, and these are what is logged."""
        if self._key is None:
            return {}, {}
        value = self._key.value.get_secret_value()
        if not self._key.parameter:
            return {"authorization": f"Bearer {value}"}, {}
        return {}, {"target": url.copy_add_param(self._key.parameter, value).raw_path}

    def _check(self, path: str, response: httpx2.Response) -> None:
        """Raises for whatever is no answer."""
        status = response.status_code
        if status == 200:
            return
        if status in (401, 403):
            raise SourceError(self._refusal(status))
        if status not in PASSING_STATUSES:
            told = f"{self._name} answers {path} with the HTTP status {status}, which it should not."
            raise Unanswered(path, told)
        seconds = _retry_after_seconds(response.headers.get("retry-after", ""), self._clock())
        pause = min(seconds, self._limits.retry_after_seconds_max)
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + pause)
        raise self._passing(path, f"HTTP status {status}")

    def _refusal(self, status: int) -> str:
        if self._key is not None:
            return f"{self._name} refuses the key: check {self._key.setting}, then resume the sync."
        return f"{self._name} refuses requests from here (HTTP status {status}): ask there why, then resume the sync."


@asynccontextmanager
async def web(
    name: str,
    base_url: str,
    limits: Limits,
    *,
    key: Key | None = None,
    gone: frozenset[int] = frozenset({404, 410}),
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Web]:
    """A service on the web while the block runs; every request in it counts towards its limits.

    `gone` are the statuses that mean that nothing is there, `wait` waits for so many seconds when the service
    asks for a pause.
    """
    client = httpx2.AsyncClient(
        headers={"accept": "application/json", "user-agent": "SceneMesh"},
        timeout=httpx2.Timeout(limits.read_seconds, connect=limits.connect_seconds, pool=None),
        limits=httpx2.Limits(max_connections=limits.concurrent_max, max_keepalive_connections=limits.concurrent_max),
    )
    async with client:
        yield Web(client, name, base_url, limits, key, gone, wait, clock)


def _parsed(body: bytearray) -> Json:
    return cast("Json", json.loads(body))


def _retry_after_seconds(header: str, now: datetime) -> float:
    """How long a `Retry-After` asks to wait: seconds or a date (RFC 9110, section 10.2.3); 0 for anything else."""
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    # A date without a zone is in UTC, which is what the header's dates are in.
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
