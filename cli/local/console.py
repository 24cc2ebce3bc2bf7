"""What a person sees of a stack: one line a step, where to go next, and then what happens."""

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console as Terminal

from cli.local.logs import Line

COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}


class Console:
    """The terminal of one stack."""

    def __init__(self, state_option: str) -> None:
        self._out = Terminal(highlight=False, soft_wrap=True)
        self._error = Terminal(stderr=True, highlight=False, soft_wrap=True)
        self._option = state_option

    def say(self, text: str) -> None:
        self._out.print(text, markup=False)

    def step(self, name: str, seconds: float) -> None:
        """A part serves."""
        self._out.print(f"  [green]✓[/green] {name:<12}[dim]{seconds:5.1f} s[/dim]")

    def problem(self, text: str) -> None:
        self._error.print(text, style="yellow", markup=False)

    def failed(self, text: str) -> None:
        """The one line that a command fails with."""
        self._error.print(text, style="red", markup=False)

    def healthy(self, url: str, payments: str | None, *, detached: bool = False) -> None:
        """Where to go next; `payments` is the pretend Stripe's page, where one runs."""
        self._out.print(
            f"\n[bold green]SceneMesh is up[/bold green] at [bold]{url}[/bold]. Try, in another terminal:\n"
        )
        scenemesh = _program()
        for command in (
            f'{scenemesh} chat "Sherlock Holmes" "Who are you?"{self._option}',
            f"{scenemesh} quota{self._option}",
            f'curl "{url}/v1/suggest?query=sherlock"',
            f'curl -H "Authorization: Bearer $({scenemesh} token{self._option})" {url}/v1/users/me/quota',
        ):
            self.say(f"  {command}")
        if payments is not None:
            self.say(f"\nPayments: test mode, no money moves. {payments}")
        self.say(f"\n{f'{scenemesh} down{self._option}' if detached else 'Ctrl-C'} stops it.\n")

    def log(self, line: Line) -> None:
        self._out.print(f"{line.process:<10} {line.text}", style=COLOURS.get(line.level, "dim"), markup=False)


def _program() -> str:
    """How this shell would call the command: by its name, or by its path where that is not on PATH."""
    own = Path(sys.executable).with_name("scenemesh")
    if shutil.which("scenemesh") == str(own):
        return "scenemesh"
    return os.path.relpath(own) if own.is_relative_to(Path.cwd()) else str(own)
