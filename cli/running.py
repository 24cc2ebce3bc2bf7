"""A program from its arguments to its exit code: whatever ends it, people get a sentence and programs JSON."""

import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

import typer

from cli.failures import ExitCode, Failure, checked, tell

# What a device says that takes no more.
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def run(app: typer.Typer) -> NoReturn:
    """Runs the command that the arguments name, and exits with its code."""
    try:
        try:
            sys.exit(_code(app))
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        with suppress(OSError):
            tell(Failure(f"The output cannot be written: {os.strerror(error.errno)}."), as_json=False)
        _silence()
        sys.exit(ExitCode.FAILED)


def _code(app: typer.Typer) -> int:
    as_json = "--json" in sys.argv
    try:
        for argument in sys.argv[1:]:
            checked(argument)
        # What is wrong with arguments is drawn in a box for people; from here on for programs it is a Failure.
        return app(prog_name="scenemesh", standalone_mode=not as_json) or ExitCode.OK
    except typer.TyperException as error:
        code = ExitCode(error.exit_code)
        name = "INVALID_ARGUMENT" if code is ExitCode.USAGE else "FAILED"
        failure = Failure(error.format_message(), code, name)
    except Failure as error:
        failure = error
    tell(failure, as_json)
    return failure.exit_code


def _silence() -> None:
    """What could not be written is not tried again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
