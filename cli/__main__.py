"""`scenemesh`, also as `python -m cli`."""

import os
import signal

STOPPED = b"scenemesh: Stopped before it began.\n"


def main() -> None:
    # Where Ctrl-C was ignored before, as in the background, it stays so.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, _stopped)
    # Only now, because it takes a moment: whoever presses Ctrl-C meanwhile wants no traceback.
    from cli.program import app
    from cli.running import run

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(app)


def _stopped(*_: object) -> None:
    # What is half imported can be neither used nor tidied up; the code is that of `cli.failures`.
    os.write(2, STOPPED)
    os._exit(130)


if __name__ == "__main__":
    main()
