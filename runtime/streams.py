"""Streams of answers that end with whoever reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import grpc

Call = TypeVar("Call", bound=grpc.aio.Call)


@asynccontextmanager
async def reading(call: Call) -> AsyncIterator[Call]:
    """The call, which ends with the block.

    gRPC lets a call go on whose reader has left the loop over its answers, and has the server make more of them for
    nobody, even when nothing refers to the call any more.
    """
    try:
        yield call
    finally:
        call.cancel()
