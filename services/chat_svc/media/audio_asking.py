"""Asking models that hear or speak: one after another, until one of them can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from runtime.errors import InvalidArgument, Unavailable, Violation
from services.chat_svc.domain.fault import ModelFault, Rejected
from services.chat_svc.providers.audio import CALL_SECONDS_MAX, Audio

log = structlog.get_logger()

Made = TypeVar("Made")


async def asked(models: Sequence[Audio], ask: Callable[[Audio], Awaitable[Made]]) -> tuple[Audio, Made]:
    """Who did it, and what was made. UNAVAILABLE where all fail, or it takes too long.

    INVALID_ARGUMENT where every one of them calls what it was given wrong.
    """
    faults: list[ModelFault] = []
    try:
        async with asyncio.timeout(CALL_SECONDS_MAX):
            for model in models:
                try:
                    return model, await ask(model)
                except ModelFault as fault:
                    log.warning("audio model failed", model=model.model.id, fault=fault.kind.value, told=str(fault))
                    faults.append(fault)
    except TimeoutError:
        log.warning("audio models took too long", models=[one.model.id for one in models])
    if faults and all(isinstance(fault, Rejected) for fault in faults):
        violation = Violation("name", "is nothing that a model can work with")
        raise InvalidArgument(f"{violation.field}: {violation.description}", violations=[violation])
    raise Unavailable("No model could do it just now, and nothing was charged.", reason="MODEL_UNAVAILABLE")
