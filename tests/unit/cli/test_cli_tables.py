import pytest
from rich.table import Table

from cli.tables import draw, named
from cli.text import cell

NAMES = [f"conversations/00000000-0000-4000-8000-00000000000{number}" for number in (1, 2)]
TITLES = ["A walk on the moor, at night and alone", "進撃の巨人"]


def _drawn() -> Table:
    table = Table("Used", "Title", "Messages", named("Conversation"))
    for name, title in zip(NAMES, TITLES, strict=True):
        table.add_row("2026-11-22 12:00", cell(title), "1,234", cell(name))
    return table


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TERM", "dumb")
    return monkeypatch


@pytest.mark.parametrize("columns", [20, 50, 80, 87, 88, 95, 100, 120, 200])
def test_names_are_whole_however_narrow_the_terminal_is(
    columns: int, wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide.setenv("COLUMNS", str(columns))
    draw(_drawn())
    out = capsys.readouterr().out
    assert [name in out for name in NAMES] == [True, True]
    assert "1,234" in out


def test_a_row_that_has_no_room_is_a_list_of_its_fields(
    wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide.setenv("COLUMNS", "60")
    table = _drawn()
    table.add_row("2026-11-22 12:00", "", "0", NAMES[0])
    draw(table)
    written = [
        ["Used          2026-11-22 12:00", f"Title         {title}", "Messages      1,234", f"Conversation  {name}", ""]
        for name, title in zip(NAMES, TITLES, strict=True)
    ]
    written += [["Used          2026-11-22 12:00", "Messages      0", f"Conversation  {NAMES[0]}", ""]]
    assert capsys.readouterr().out.splitlines() == [line for row in written for line in row]


def test_a_table_that_has_room_is_one(wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wide.setenv("COLUMNS", "120")
    draw(_drawn())
    out = capsys.readouterr().out.splitlines()
    assert [line.count("│") for line in out if NAMES[0] in line or NAMES[1] in line] == [5, 5]


def test_of_what_is_no_text_to_fold_nothing_is_cut(
    wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ("Europe/Berlin", "2026-11-22 12:00", "1,234,567")
    for columns in range(20, 90):
        wide.setenv("COLUMNS", str(columns))
        table = Table("Zone", "Starts anew", "Used", "What", title=cell("[bold] title"), caption="caption")
        table.add_row(*cells, cell("A walk on the moor, at night and alone"))
        draw(table)
        out = capsys.readouterr().out
        assert [word for one in cells for word in one.split() if word not in out] == []
        assert max(map(len, out.splitlines())) <= columns or "│" not in out
        assert [one in out for one in ("[bold] title", "caption", "…")] == [True, True, False]


def test_a_list_goes_on_with_a_field_below_its_beginning(
    wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide.setenv("COLUMNS", "20")
    table = Table(named("Plan"), "Gives", title="Plans", caption="Prices are net")
    table.add_row(cell("plans/creator"), cell("50 chats\n10 images"))
    table.add_row(cell("plans/free"), "[green]5 chats[/green]")
    draw(table, cell("That is all."))
    assert capsys.readouterr().out.splitlines() == [
        "Plans",
        "Plan   plans/creator",
        "Gives  50 chats",
        "       10 images",
        "",
        "Plan   plans/free",
        "Gives  5 chats",
        "",
        "Prices are net",
        "That is all.",
    ]
