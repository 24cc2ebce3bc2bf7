import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from services.search_svc.index import artifact
from services.search_svc.index.artifact import CHECKSUM_BYTES, HEAD_BYTES, CorruptIndex
from services.search_svc.index.build import build
from services.search_svc.index.index import Index
from tests.unit.search_svc.index.made import title


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "1.index"
    build([title("The Dark Knight", characters=["The Joker"])], path, 1)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "7.index"
    arrays = {"none": np.zeros(0, dtype=np.uint32), "some": np.arange(5, dtype=np.float32)}
    checksum = artifact.write(path, {"version": 7}, arrays)
    opened = artifact.read(path)
    assert (opened.head["version"], opened.checksum) == (7, checksum)
    assert {name: array.tolist() for name, array in opened.arrays.items()} == {"none": [], "some": [0, 1, 2, 3, 4]}
    assert list(tmp_path.iterdir()) == [path]


def test_a_built_file_says_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "3.index"
    summary = build([title("The Dark Knight", characters=["The Joker"], actors=["Heath Ledger"])], path, 3)
    index = Index.open(path)
    assert (index.version, index.counts, index.checksum) == (3, summary.counts, summary.checksum)
    assert (summary.counts.titles, summary.counts.characters, summary.counts.actors) == (1, 1, 1)
    assert summary.size_bytes == path.stat().st_size


def test_the_same_titles_make_the_same_file(tmp_path: Path) -> None:
    titles = [title("Heat"), title("Up", characters=["Carl", "Ellie"]), title("It")]
    one, other = (build(order, tmp_path / f"{len(order)}.index", 1) for order in (titles, titles[::-1]))
    assert one.checksum == other.checksum


@pytest.mark.parametrize("kept", [0, 7, 8, 100, HEAD_BYTES, -1])
def test_a_file_that_was_cut_off_is_refused(file: Path, kept: int) -> None:
    os.truncate(file, kept if kept >= 0 else file.stat().st_size + kept)
    with pytest.raises(CorruptIndex):
        Index.open(file)


@pytest.mark.parametrize("place", [0, 9, 40, HEAD_BYTES + 3, -CHECKSUM_BYTES - 1, -1])
def test_a_file_with_one_changed_byte_is_refused(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptIndex):
        Index.open(file)


def test_a_longer_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes() + bytes(100))
    with pytest.raises(CorruptIndex):
        Index.open(file)


def test_an_index_serves_on_when_its_file_is_removed(file: Path) -> None:
    index = Index.open(file)
    file.unlink()
    assert [hit.name for hit in index.search("joker", limit=1)] == ["The Joker"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    with patch("os.fsync", side_effect=OSError(28, "No space left on device")), pytest.raises(OSError, match="space"):
        build([title("Up")], tmp_path / "1.index", 1)
    assert list(tmp_path.iterdir()) == []
