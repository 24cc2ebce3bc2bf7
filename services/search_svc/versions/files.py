"""The files of index versions: one folder, which all replicas see."""

import re
from collections.abc import Callable
from pathlib import Path

from services.search_svc.index.artifact import CorruptIndex
from services.search_svc.index.index import Index

# Whole ones, and those that a build was writing.
FILE = re.compile(r"(\d{1,18})(\.index|\..*new)")

Signature = tuple[int, int, int]


class UnusableFile(Exception):
    """The file cannot serve; the message says why, as the end of a sentence."""


class Files:
    """`open_index` maps a file and checks it; CorruptIndex or OSError when it cannot serve."""

    def __init__(self, directory: Path, open_index: Callable[[Path], Index] = Index.open) -> None:
        self.directory = directory
        self._open = open_index

    def path(self, number: int) -> Path:
        return self.directory / f"{number}.index"

    def opened(self, number: int, checksum: str) -> Index:
        """The index in a version's file, after all of it was read and compared with what was built. Blocks."""
        try:
            index = self._open(self.path(number))
        except FileNotFoundError as error:
            raise UnusableFile("is not on disk any more") from error
        except OSError as error:
            raise UnusableFile(f"cannot be read ({error.strerror})") from error
        except CorruptIndex as error:
            raise UnusableFile(f"is damaged ({error})") from error
        if index.checksum != checksum:
            raise UnusableFile("is not the file that was built: its checksum is another one")
        return index

    def signature(self, number: int) -> Signature | None:
        """What changes when the file does; None when there is no such file."""
        try:
            found = self.path(number).stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def numbers(self) -> set[int]:
        """The versions that there are files of, whole or not."""
        return set(self._numbered().values())

    def remove(self, numbers: set[int]) -> list[str]:
        """Removes every file of these versions, and gives their names."""
        old = [file for file, number in self._numbered().items() if number in numbers]
        for file in old:
            file.unlink(missing_ok=True)
        return sorted(file.name for file in old)

    def _numbered(self) -> dict[Path, int]:
        if not self.directory.is_dir():
            return {}
        matches = {file: FILE.fullmatch(file.name) for file in self.directory.iterdir()}
        return {file: int(match[1]) for file, match in matches.items() if match is not None}
