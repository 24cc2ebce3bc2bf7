"""`scenemesh down`."""

import psutil
import typer

from cli.local import leftovers
from cli.local.console import Console
from cli.local.state import State
from cli.options import STATE_DEFAULT
from cli.options import State as StateOption

STOP_SECONDS = 30.0


def down(state: StateOption = STATE_DEFAULT) -> None:
    """Stop the stack of a state folder."""
    folder, console = State(state.resolve()), Console("")
    found = folder.read()
    supervisor = leftovers.alive(found.supervisor.pid, found.supervisor.created) if found else None
    if supervisor is None:
        left = leftovers.noted(folder.run)
        leftovers.end(left)
        console.say(f"Ended {len(left)} processes that a killed stack had left." if left else "Nothing runs here.")
        raise typer.Exit(0 if left else 3)
    supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        leftovers.end([supervisor])
        console.failed(f"It did not stop within {STOP_SECONDS:.0f} s and was killed.")
        raise typer.Exit(1) from None
    console.say("Stopped.")
