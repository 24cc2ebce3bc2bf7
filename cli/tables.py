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


def draw(*parts: Table | Text) -> None:
    """Prints tables and lines; a table as a list, each row's fields below one another, where it has no room."""
    console = Console()
    for part in parts:
        if isinstance(part, Table) and part.show_header and not _fitted(console, part):
            _list(console, part)
        else:
            console.print(part)


def _fitted(console: Console, table: Table) -> bool:
    """Narrows the widest columns until the table has room; false where something would be cut then."""
    room = console.width - BORDER_CHARACTERS * len(table.columns) - LAST_BORDER_CHARACTERS
    least = [_least(console, column) for column in table.columns]
    widths = [max(_measured(console, one).maximum for one in (each.header, *each.cells)) for each in table.columns]
    if sum(least) > room:
        return False
    if sum(widths) <= room:
        return True
    while sum(widths) > room:
        widest = max((each for each, width in enumerate(widths) if width > least[each]), key=widths.__getitem__)
        widths[widest] -= 1
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return True


def _list(console: Console, table: Table) -> None:
    """Soft, so that only the terminal breaks a line, and what is copied from it is whole."""
    headers = [str(column.header) for column in table.columns]
    width = max(map(cell_len, headers))
    if table.title:
        console.print(_text(table.title), soft_wrap=True)
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for header, value in zip(headers, row, strict=True):
            for number, line in enumerate(_text(value).split("\n")):
                if line:
                    beside = "" if number else header
                    console.print(Text(f"{beside:<{width}}  ", style="bold"), line, sep="", soft_wrap=True)
        console.print()
    if table.caption:
        console.print(_text(table.caption), style="dim", soft_wrap=True)


def _least(console: Console, column: Column) -> int:
    """How many characters wide a column is at least: names stay whole, texts are folded, of all else the words stay."""
    if column.no_wrap:
        return max(_measured(console, one).maximum for one in (column.header, *column.cells))
    return max(_unbroken(console, one) for one in (column.header, *column.cells))


def _unbroken(console: Console, cell: RenderableType) -> int:
    measured = _measured(console, cell)
    return min(measured.maximum, FOLDED_CHARACTERS) if isinstance(cell, Text) else measured.minimum


def _measured(console: Console, cell: RenderableType) -> Measurement:
    return Measurement.get(console, console.options, cell)


def _text(value: RenderableType) -> Text:
    return value if isinstance(value, Text) else Text.from_markup(str(value))
