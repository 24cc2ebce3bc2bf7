import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.local import leftovers
from cli.local.state import Running, Stack, State
from cli.local.status import status


@pytest.mark.parametrize("columns", [40, 80])
def test_where_a_process_is_reached_is_shown_whole(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "127.0.0.1:40425/an/address/longer/than/what/is/left"
    state, own = State(tmp_path), Running(os.getpid(), leftovers.created(os.getpid()), address)
    state.create()
    state.write(Stack("http://127.0.0.1:1", True, own, {"postgres": own}))
    monkeypatch.setenv("COLUMNS", str(columns))
    app = typer.Typer()
    app.command()(status)
    out = CliRunner().invoke(app, ["--state", str(tmp_path)]).stdout
    shown = "".join(line.split()[-1] for line in out.splitlines() if line)
    assert [one in shown for one in (address, "…")] == [True, False]
    assert [one in out for one in ("postgres", "runs", "[green]")] == [True, True, False]
