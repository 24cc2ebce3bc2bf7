"""The Redis that holds the events: where it is, and what it means when it fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from cli.failures import ExitCode, Failure
from cli.local import valkey
from cli.local.state import State
from runtime import redis

Url = Annotated[
    str | None,
    typer.Option("--redis", envvar="SCENEMESH_REDIS_URL", help="The Redis to ask, instead of the stack's."),
]
Topic = Annotated[str | None, typer.Option("--topic", help="Only events of this topic, for example quota.")]


@asynccontextmanager
async def connected(url: str | None, state: Path) -> AsyncIterator[Redis]:
    """A client of the events' Redis; what fails in the block becomes a Failure."""
    try:
        async with redis.connect(url or _local(state)) as client:
            yield client
    except ValueError as error:
        raise Failure(f"{url!r} is not a URL such as redis://localhost:6379.", ExitCode.USAGE) from error
    except (RedisConnectionError, OSError) as error:
        where = "Redis" if url else f"The Redis of the stack in {state}"
        hint = "`scenemesh up` starts everything on this machine; --redis names another Redis."
        raise Failure(f"{where} cannot be reached.", ExitCode.NOT_RUNNING, "NOT_RUNNING", hint=hint) from error
    except RedisError as error:
        raise Failure(f"Redis refuses: {error}") from error


def _local(state: Path) -> str:
    return valkey.url(State(state.resolve()).sockets)
