"""Deadlines for machines that are busy with something else: the contract's, many times as long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runtime.interceptors.call import Call
from runtime.interceptors.deadline import _policy_seconds

TIMES = 15
# What a process goes by.
policy_seconds = _policy_seconds
# The package has a function of this name, too.
DEADLINE = sys.modules["runtime.interceptors.deadline"]


@contextmanager
def patient() -> Iterator[None]:
    """While the block runs, calls in this process may take many times as long as the contract lets them."""

    def seconds(call: Call) -> float | None:
        limit = policy_seconds(call)
        return limit * TIMES if limit is not None else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DEADLINE, "_policy_seconds", seconds)
        yield
