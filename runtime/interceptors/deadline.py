"""No call outlives its deadline: the caller's own, or the policy's where that is shorter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.context import DEADLINE
from runtime.errors import DeadlineExceeded
from runtime.interceptors.call import Call


@asynccontextmanager
async def deadline(call: Call) -> AsyncIterator[None]:
    limits_seconds = [limit for limit in (call.context.time_remaining(), _policy_seconds(call)) if limit is not None]
    if not limits_seconds:
        yield
        return
    seconds = min(limits_seconds)
    DEADLINE.set(asyncio.get_running_loop().time() + seconds)
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(f"This took longer than {seconds:.1f} s.", reason="DEADLINE_EXCEEDED") from error


def _policy_seconds(call: Call) -> float | None:
    return call.method.policy.deadline.total_seconds() if call.method is not None else None
