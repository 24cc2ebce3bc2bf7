"""Limits for machines that are busy with something else: those of the contract and of engines, many times as long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from runtime import postgres, redis
from runtime.interceptors.call import Call
from runtime.interceptors.deadline import _policy_seconds
from services.billing_svc import applying
from services.chat_svc import siblings
from services.chat_svc.answering import journal
from services.chat_svc.media import tolls
from services.chat_svc.scenes import characters
from services.quota_svc import plans

TIMES = 15
# What a process goes by.
policy_seconds = _policy_seconds
# The package has a function of this name, too.
DEADLINE = sys.modules["runtime.interceptors.deadline"]

LIMITS: tuple[tuple[ModuleType, str], ...] = (
    (redis, "TIMEOUT_SECONDS"),
    (postgres, "ACQUIRE_SECONDS"),
    (journal, "WRITE_SECONDS_MAX"),
    (siblings, "CALL_SECONDS_MAX"),
    (characters, "CALL_SECONDS_MAX"),
    (tolls, "CALL_SECONDS_MAX"),
    (applying, "CALL_SECONDS"),
    (plans, "LIST_SECONDS"),
)


@contextmanager
def patient() -> Iterator[None]:
    """While the block runs, calls and engines may keep this process waiting many times as long as they usually may."""

    def seconds(call: Call) -> float | None:
        limit = policy_seconds(call)
        return limit * TIMES if limit is not None else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DEADLINE, "_policy_seconds", seconds)
        for module, name in LIMITS:
            patch.setattr(module, name, TIMES * getattr(module, name))
        yield
