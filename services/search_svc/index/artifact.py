"""The file of an index: arrays, one after the other, with a head that says what they are and a checksum at the end.

    magic (8 bytes), length of the head (u32), head (JSON), arrays (each at a multiple of 64 bytes), SHA-256 (32 bytes)

It is written beside its place and renamed, so that a file that has its name is complete; the checksum tells what
happened to it since.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from services.search_svc.index.arrays import Arrays
from services.search_svc.index.strings import Blob, Sorted

MAGIC = b"SCNMIDX1"
# Where the arrays begin.
HEAD_BYTES = 1 << 14
CHECKSUM_BYTES = 32
ALIGNMENT = 64
PIECE_BYTES = 1 << 22


class CorruptIndex(ValueError):
    """The file is no index, is cut off, or does not agree with its checksum."""


class Artifact(NamedTuple):
    """An opened file; the arrays are views of it and keep it mapped."""

    head: Mapping[str, Any]
    arrays: Arrays
    checksum: str
    mapped: mmap.mmap | None = None

    def sorted(self, blob: str, offsets: str) -> Sorted:
        """The keys whose bytes and offsets have these names."""
        return Sorted(self._blob(blob), self.arrays[offsets], self.arrays[f"{offsets}_by_two"])

    def _blob(self, name: str) -> Blob:
        if self.mapped is None:
            return self.arrays[name].tobytes(), 0
        return self.mapped, self.head["arrays"][name][1]


def write(path: Path, head: Mapping[str, Any], arrays: Arrays) -> str:
    """Writes the file and gives its checksum in hexadecimal digits. OSError leaves nothing behind."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    try:
        checksum = _write(beside, head, arrays)
        beside.rename(path)
        _flush_folder(path.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return checksum


def read(path: Path) -> Artifact:
    """Maps the file and reads all of it once, to compare it with its checksum. CorruptIndex when it cannot serve."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < len(MAGIC) + 4 + CHECKSUM_BYTES:
            raise CorruptIndex(f"{path.name} is too short to be an index")
        checksum = _digest(file, size - CHECKSUM_BYTES)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if mapped[: len(MAGIC)] != MAGIC:
        raise CorruptIndex(f"{path.name} is no index, or one of another format")
    if checksum != mapped[size - CHECKSUM_BYTES :]:
        raise CorruptIndex(f"{path.name} is cut off or was changed: it does not agree with its checksum")
    begin = len(MAGIC) + 4
    head = json.loads(mapped[begin : begin + int.from_bytes(mapped[len(MAGIC) : begin], "little")])
    arrays = {
        name: np.frombuffer(mapped, dtype=dtype, count=count, offset=offset)
        for name, (dtype, offset, count) in head["arrays"].items()
    }
    return Artifact(head, arrays, checksum.hex(), mapped)


def _write(path: Path, head: Mapping[str, Any], arrays: Arrays) -> str:
    places = _places(arrays)
    text = json.dumps({**head, "arrays": places}).encode()
    digest = hashlib.sha256()
    with path.open("xb") as file:

        def put(piece: bytes | memoryview) -> None:
            digest.update(piece)
            file.write(piece)

        put(MAGIC + len(text).to_bytes(4, "little") + text)
        for name, array in arrays.items():
            put(bytes(places[name][1] - file.tell()))
            put(np.ascontiguousarray(array).view(np.uint8).data)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _places(arrays: Arrays) -> dict[str, tuple[str, int, int]]:
    """The dtype, the offset and the length of every array."""
    position = HEAD_BYTES
    places = {}
    for name, array in arrays.items():
        position = -(-position // ALIGNMENT) * ALIGNMENT
        places[name] = (array.dtype.str, position, array.size)
        position += array.nbytes
    return places


def _digest(file: BufferedReader, size: int) -> bytes:
    """The checksum of the file's first bytes, read into one piece of memory: queries of other threads go on meanwhile.

    To hash the mapped bytes instead would hold them up wherever a page is not in memory yet.
    """
    digest = hashlib.sha256()
    piece = memoryview(bytearray(PIECE_BYTES))
    while size and (count := file.readinto(piece[:size])):
        digest.update(piece[:count])
        size -= count
    return digest.digest()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
