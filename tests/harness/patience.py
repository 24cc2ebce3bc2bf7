"""Limits for machines that are busy with something else: those of the contract and of engines, many times as long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from runtime import postgres, redis, registry
from runtime.interceptors.call import Call
from runtime.interceptors.deadline import _policy_seconds
from services.billing_svc import applying
from services.billing_svc.payments import asking
from services.billing_svc.payments.stripe import client as stripe
from services.billing_svc.reconciling import ledger
from services.chat_svc import siblings
from services.chat_svc.answering import journal, stopping
from services.chat_svc.archive import printing
from services.chat_svc.media import tolls
from services.chat_svc.providers import openai
from services.chat_svc.scenes import asking as asides
from services.chat_svc.scenes import characters, suggesting
from services.chat_svc.scenes.portraits import web
from services.chat_svc.store import answers, locks, rounds
from services.chat_svc.turning import conversing
from services.quota_svc import plans
from services.search_svc.versions import building, process

TIMES = 15
# What a process goes by.
policy_seconds = _policy_seconds
# The package has a function of this name, too.
DEADLINE = sys.modules["runtime.interceptors.deadline"]

LIMITS: tuple[tuple[ModuleType, str], ...] = (
    (redis, "TIMEOUT_SECONDS"),
    (registry, "LEASE_MS"),
    (postgres, "ACQUIRE_SECONDS"),
    (postgres, "COMMAND_SECONDS"),
    (postgres, "RESERVED_SECONDS"),
    (journal, "WRITE_SECONDS_MAX"),
    (stopping, "END_SECONDS_MAX"),
    (locks, "WAIT_SECONDS"),
    (answers, "LEASE_SECONDS"),
    (answers, "LATE_SECONDS"),
    (rounds, "LATE_SECONDS"),
    (rounds, "TAKEN_SECONDS"),
    (conversing, "HEARTBEAT_SECONDS"),
    (openai, "USAGE_SECONDS_MAX"),
    (printing, "SECONDS_MAX"),
    (asides, "ASIDE_SECONDS_MAX"),
    (suggesting, "WAIT_SECONDS_MAX"),
    (web, "SECONDS_MAX"),
    (siblings, "CALL_SECONDS_MAX"),
    (characters, "CALL_SECONDS_MAX"),
    (tolls, "CALL_SECONDS_MAX"),
    (applying, "CALL_SECONDS"),
    (asking, "CONNECT_SECONDS"),
    (asking, "TOTAL_SECONDS"),
    (stripe, "CONNECT_TIMEOUT_SECONDS"),
    (stripe, "REQUEST_TIMEOUT_SECONDS"),
    (ledger, "CALL_SECONDS"),
    (plans, "LIST_SECONDS"),
    (building, "STOP_SECONDS"),
    (process, "GRACE_SECONDS"),
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
