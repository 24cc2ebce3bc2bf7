"""`scenemesh status`."""

import asyncio
import json
import time
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import typer
from rich.console import Console as Terminal
from rich.table import Table

from cli.local import health, leftovers
from cli.local.state import Running, Stack, State
from cli.options import STATE_DEFAULT, Json
from cli.options import State as StateOption
from cli.tables import draw
from cli.text import cell

UNHEALTHY, NOT_RUNNING = 1, 3


def status(state: StateOption = STATE_DEFAULT, as_json: Json = False) -> None:
    """Say what runs in a state folder, and whether it is healthy. Exit code 0 healthy, 1 unhealthy, 3 not running."""
    found = State(state.resolve()).read()
    told = {"running": False} if found is None else _told(found)
    if as_json:
        print(json.dumps(told, indent=2))
    elif found is None:
        print("Nothing runs here: `scenemesh up` starts a stack.")
    else:
        _show(found, bool(told["healthy"]))
    if found is None:
        raise typer.Exit(NOT_RUNNING)
    if not told["healthy"]:
        raise typer.Exit(UNHEALTHY)


def _told(found: Stack) -> dict[str, Any]:
    parts = urlsplit(found.url)
    healthy = asyncio.run(health.healthy(parts.hostname or "", parts.port or 80))
    processes = {name: {**asdict(one), "alive": _alive(one)} for name, one in found.processes.items()}
    return {
        "running": True,
        "healthy": healthy and all(one["alive"] for one in processes.values()),
        "url": found.url,
        "supervisor": asdict(found.supervisor),
        "processes": processes,
    }


def _alive(process: Running) -> bool:
    return leftovers.alive(process.pid, process.created) is not None


def _show(found: Stack, healthy: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("process", "state", "pid", "up", "restarts", "address"):
        table.add_column(column)
    now = time.time()
    for name, process in found.processes.items():
        alive = _alive(process)
        table.add_row(
            name,
            "[green]runs[/green]" if alive else "[red]ended[/red]",
            str(process.pid),
            _age(now - process.created) if alive else "",
            str(process.restarts),
            cell(process.address),
        )
    terminal = Terminal(highlight=False)
    draw(table)
    terminal.print(f"\n{found.url} is {'[green]healthy[/green]' if healthy else '[red]not healthy[/red]'}.")
    if found.payments is not None:
        terminal.print(f"Payments: test mode, no money moves. {found.payments}")


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
