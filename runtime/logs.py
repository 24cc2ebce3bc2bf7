"""Structured logs: one JSON object a line on standard error."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict

from runtime.context import CALLER, REQUEST_ID

# Values under these keys never reach a log, whoever passes them.
SECRET_KEYS = frozenset({"authorization", "api_key", "token", "password", "cookie", "text", "prompt", "email", "dsn"})


def configure(process: str, level: str) -> None:
    """Sends this process's logs, and those of the libraries in it, to standard error as JSON."""

    def named(_: Any, __: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        named,
        _call_context,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, getattr(logging, level)), force=True)


def _call_context(_: Any, __: str, event: EventDict) -> EventDict:
    if request_id := REQUEST_ID.get(""):
        event.setdefault("request_id", request_id)
    caller = CALLER.get(None)
    if caller is not None and caller.user is not None:
        event.setdefault("user", caller.user)
    return event


def _redact(_: Any, __: str, event: EventDict) -> EventDict:
    for key in SECRET_KEYS & event.keys():
        event[key] = "[redacted]"
    return event
