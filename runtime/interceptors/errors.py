"""The only place where errors become statuses, and the only one that aborts a call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog

from runtime.context import request_id
from runtime.errors import Internal, MeshError
from runtime.interceptors.call import Call, CallerGone
from runtime.status import to_grpc

log = structlog.get_logger()


@asynccontextmanager
async def errors(call: Call) -> AsyncIterator[None]:
    """A MeshError becomes its status; anything else is a defect: the log gets it all, the caller the request id."""
    try:
        yield
    except MeshError as error:
        if isinstance(error, Internal):
            log.exception("internal error", rpc=call.path)
        await _abort(call, error)
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        log.exception("defect in a handler", rpc=call.path)
        await _abort(call, Internal(str(error), reason="INTERNAL"))


async def _abort(call: Call, error: MeshError) -> None:
    call.code = int(error.code)
    try:
        await call.context.abort_with_status(to_grpc(error, request_id()))
    except grpc.aio.InternalError as gone:
        raise CallerGone from gone
