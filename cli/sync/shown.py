"""A sync on a terminal."""

from collections.abc import Iterable

from rich.console import Group
from rich.table import Table

from cli.tables import named
from cli.text import cell, clock, word
from scenemesh.search.v1 import catalog_pb2

LIVE = frozenset({catalog_pb2.Sync.STATE_QUEUED, catalog_pb2.Sync.STATE_RUNNING})


def ended(sync: catalog_pb2.Sync) -> bool:
    return sync.state not in LIVE


def word_of(sync: catalog_pb2.Sync) -> str:
    """Its state."""
    return word(sync, "state", "STATE_")


def table(syncs: Iterable[catalog_pb2.Sync]) -> Table:
    drawn = Table(named("Sync"), "From", "State", "Titles", "Characters", "Removed", "Faults", "Begun", "Ended")
    for one in syncs:
        kept = (one.titles_kept, one.characters_kept, one.titles_removed, one.faults_total)
        over = clock(one.end_time) if one.HasField("end_time") else ""
        figures = (f"{figure:,}" for figure in kept)
        drawn.add_row(cell(one.name), cell(_origin(one)), _state(one), *figures, clock(one.create_time), over)
    return drawn


def details(sync: catalog_pb2.Sync) -> Table:
    """Everything of one sync but its faults."""
    drawn = Table(show_header=False)
    rows = {
        "Sync": sync.name,
        "From": _origin(sync),
        "Mode": word(sync, "mode", "MODE_"),
        "State": _state(sync),
        "Titles kept": f"{sync.titles_kept:,}",
        "Characters kept": f"{sync.characters_kept:,}",
        "Titles removed": f"{sync.titles_removed:,}",
        "Faults": f"{sync.faults_total:,}",
        "Begun": clock(sync.create_time),
        "Ended": clock(sync.end_time) if sync.HasField("end_time") else "",
        "Index": sync.index_version,
        "Error": sync.error,
    }
    for name, value in rows.items():
        if value:
            drawn.add_row(name, cell(value))
    return drawn


def faults(sync: catalog_pb2.Sync, rows_max: int = 50) -> Group:
    """The first faults, and how many more there are."""
    drawn = Table("Where", "What is wrong")
    shown = sync.faults[:rows_max]
    for fault in shown:
        drawn.add_row(cell(fault.place), cell(fault.description))
    more = sync.faults_total - len(shown)
    return Group(drawn, *([cell(f"and {more:,} more")] if more > 0 else []))


def summary(sync: catalog_pb2.Sync) -> str:
    """What it brought."""
    figures = f"{sync.titles_kept:,} titles and {sync.characters_kept:,} characters were added or changed"
    return f"{sync.name} {word_of(sync)}: {figures}, {sync.titles_removed:,} titles removed."


def _origin(sync: catalog_pb2.Sync) -> str:
    return f"file {sync.collection}" if sync.collection else word(sync, "source", "SOURCE_")


def _state(sync: catalog_pb2.Sync) -> str:
    if sync.state != catalog_pb2.Sync.STATE_RUNNING or not sync.step:
        return word_of(sync)
    return f"{word_of(sync)}: {sync.step}, {sync.done:,}{f' of {sync.total:,}' if sync.total else ''}"
