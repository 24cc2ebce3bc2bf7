"""Tables whose names stay whole, however narrow the terminal is: a name is there to be copied into the next command."""

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

# What is no name may be folded down to so many characters.
FOLDED_CHARACTERS = 8
# The lines between two columns and the space beside them, and the line at the end.
BORDER_CHARACTERS, LAST_BORDER_CHARACTERS = 3, 1


def named(header: str) -> Column:
    """A column of names."""
    return Column(header, no_wrap=True)


def draw(table: Table) -> None:
    """Prints a table; as a list, each row's fields below one another, where there is no room for its names."""
    console = Console()
    if _needed(console, table) <= console.width:
        console.print(table)
        return
    headers = [str(column.header) for column in table.columns]
    width = max(map(cell_len, headers))
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for header, value in zip(headers, row, strict=True):
            if str(value):
                # Soft, so that only the terminal breaks a line, and what is copied from it is whole.
                console.print(Text(f"{header:<{width}}  ", style="bold"), _text(value), sep="", soft_wrap=True)
        console.print()


def _needed(console: Console, table: Table) -> int:
    """How many characters wide the table is at least."""
    borders = BORDER_CHARACTERS * len(table.columns) + LAST_BORDER_CHARACTERS
    return borders + sum(_least(console, column) for column in table.columns)


def _least(console: Console, column: Column) -> int:
    widest = max(_width(console, cell) for cell in (column.header, *column.cells))
    return widest if column.no_wrap else min(widest, FOLDED_CHARACTERS)


def _width(console: Console, cell: RenderableType) -> int:
    return Measurement.get(console, console.options, cell).maximum


def _text(value: RenderableType) -> Text:
    return value if isinstance(value, Text) else Text(str(value))
