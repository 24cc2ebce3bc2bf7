"""Index versions on a terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from cli.text import cell, clock, word
from scenemesh.search.v1 import catalog_pb2

ACTIVE = "*"


def report(versions: Sequence[catalog_pb2.IndexVersion]) -> Sequence[Table | Text]:
    """The versions, and below them what is wrong with some."""
    return _table(versions), *_errors(versions)


def _table(versions: Sequence[catalog_pb2.IndexVersion]) -> Table:
    caption = f"{ACTIVE} is in service" if any(one.active for one in versions) else None
    drawn = Table("No.", "State", "Titles", "Characters", "Actors", "Agrees", "Built", "Activated", caption=caption)
    for one in versions:
        activated = f"{clock(one.activate_time)} {one.activated_by}".strip() if one.HasField("activate_time") else ""
        drawn.add_row(
            cell(f"{_number(one)} {ACTIVE}" if one.active else _number(one)),
            word(one, "state", "STATE_"),
            str(one.titles),
            str(one.characters),
            str(one.actors),
            f"{one.comparison.agreement:.2f}" if one.HasField("comparison") else "",
            clock(one.create_time),
            cell(activated),
        )
    return drawn


def _errors(versions: Sequence[catalog_pb2.IndexVersion]) -> Iterator[Text]:
    for one in versions:
        if one.error:
            yield cell(f"{_number(one)}: {one.error}")


def _number(version: catalog_pb2.IndexVersion) -> str:
    return version.name.rpartition("/")[2]
