"""Postgres refuses to run as root. Where we are root, it runs as another user instead.

That user could not reach the data: the state folder, and often the home that it stands in, are private to root. Opening
them to everyone would be a strange thing to do to somebody's machine, so the process keeps one capability, the one to
pass by file permissions. It has then less power than the root that started it, and no folder changes its mode. initdb
asks by access(2) whether it may run its own binaries, which passes over capabilities of whoever is not root, unless the
kernel is told to leave them with whom they were given to.
"""

import ctypes
import os
import pwd
import struct
from dataclasses import dataclass

from cli.local.failure import Failure
from cli.local.kernel import prctl, system_call

NAME = "nobody"

# linux/prctl.h, linux/securebits.h and linux/capability.h
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True)
class Account:
    """A user that a process runs as."""

    uid: int
    gid: int

    def assume(self) -> None:
        """Turns this process, which is root's, into the account's. For the time between fork and exec."""
        prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        low = 1 << CAP_DAC_OVERRIDE
        sets = struct.pack("6I", low, low, low, 0, 0, 0)  # effective, permitted, inheritable; low words, high words
        system_call("capset", ctypes.c_char_p(header), ctypes.c_char_p(sets))
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def for_postgres() -> Account | None:
    """Whom Postgres has to run as; None when it can run as we do."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError as error:
        raise Failure(
            f"Postgres does not run as root, and there is no user {NAME}: run this as another user."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)
