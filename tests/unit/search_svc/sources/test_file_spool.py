import sqlite3

import pytest

from services.search_svc.domain.entries import Kind
from services.search_svc.sources.file.rows import CharacterRow, TitleRow
from services.search_svc.sources.file.spool import Spool


def test_a_spool_takes_no_more_of_the_disk_than_it_may() -> None:
    spool = Spool(size_bytes_max=200_000)
    rows = (TitleRow(f"{number}", "Up", Kind.FILM, 2009, (), 1.0, False, "x" * 2000) for number in range(1000))
    with pytest.raises(sqlite3.OperationalError) as full:
        any(spool.title(1, row) for row in rows)
    spool.close()
    assert full.value.sqlite_errorcode == sqlite3.SQLITE_FULL


def test_rows_come_back_as_they_were() -> None:
    inside = CharacterRow("c", "Carl", "", 0, ("Mr. Fredricksen", "卡尔"), "An old man.", ("Ed Asner", "X"), 7.5)
    row = TitleRow("up", "Up", Kind.CARTOON, 2009, ("Là-haut",), 9.5, True, "A house flies.", (inside,))
    spool = Spool()
    assert [spool.title(3, row), spool.title(5, row)] == [0, 3]
    spool.match()
    found = [(spooled, list(characters)) for spooled, characters in spool.grouped(0)]
    spool.close()
    expected = TitleRow("", "Up", Kind.CARTOON, 2009, ("Là-haut",), 9.5, True, "A house flies.")
    assert found == [((1, "up", 3, expected), [inside])]
