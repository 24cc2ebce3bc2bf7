"""System calls that Python has no name for. Linux only; elsewhere they do nothing."""

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def system_call(name: str, *arguments: Any) -> None:
    """Calls a function of the C library. Raises OSError when it says -1."""
    if not sys.platform.startswith("linux"):
        return
    if getattr(_libc(), name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def prctl(option: int, second: int, third: int = 0) -> None:
    unsigned = [ctypes.c_ulong(value) for value in (second, third, 0, 0)]
    system_call("prctl", ctypes.c_int(option), *unsigned)


def dies_with(parent: int, signal_number: int) -> None:
    """Has the kernel signal this process when its parent dies, however. Changing user clears it: call it after."""
    prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def before_exec(parent: int, signal_number: int, assume: Callable[[], None] | None) -> Callable[[], None]:
    """What a child does between fork and exec."""
    _libc()  # loaded now: loading a library after fork is not safe

    def run() -> None:
        if assume is not None:
            assume()
        dies_with(parent, signal_number)

    return run
