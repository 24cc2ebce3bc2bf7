import pytest
from rich.console import Console

from cli.sync.bars import bars
from cli.sync.shown import details, faults, summary
from scenemesh.search.v1 import catalog_pb2

FAULT = catalog_pb2.Sync.Fault(place="line 3", description="The name '\x1b[2J[red]' is \x07wrong.")
SYNC = catalog_pb2.Sync(
    name="syncs/1",
    source=catalog_pb2.SOURCE_FILE,
    collection="films",
    state=catalog_pb2.Sync.STATE_RUNNING,
    step="titles",
    done=1000,
    total=2000,
    faults_total=2,
    faults=[FAULT, FAULT],
)


def drawn(what: object) -> list[str]:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(what)
    return capture.get().splitlines()


def test_what_a_fault_quotes_cannot_drive_the_terminal() -> None:
    lines = drawn(faults(SYNC, 1))
    assert "│ line 3 │ The name '[2J[red]' is wrong. │" in lines
    assert lines[-1] == "and 1 more"


def test_a_sync_shows_what_it_knows_and_no_more() -> None:
    shown = [line for line in drawn(details(SYNC)) if "State" in line or "Error" in line or "Ended" in line]
    assert shown == ["│ State           │ running: titles, 1,000 of 2,000 │"]


def test_a_summary_is_a_sentence() -> None:
    told = "syncs/1 succeeded: 1,000 titles and 0 characters were added or changed, 2 titles removed."
    done = catalog_pb2.Sync(name="syncs/1", state=catalog_pb2.Sync.STATE_SUCCEEDED, titles_kept=1000, titles_removed=2)
    assert summary(done) == told


def test_bars_are_for_terminals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with bars(hidden=False) as step:
        step("rows", 1, 0)
        step("titles", 1, 2)
    assert capsys.readouterr() == ("", "")
