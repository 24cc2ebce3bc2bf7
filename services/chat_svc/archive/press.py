"""`python -m services.chat_svc.archive.press`: a process that prints, one sheet after the other, until nobody asks.

A sheet comes in as JSON and goes out as PDF, each behind its length in four bytes.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import BinaryIO

from services.chat_svc.archive.pdf import pdf

LENGTH = struct.Struct(">I")

# Answers go before what is printed.
NICENESS = 5


def main(asked: BinaryIO, printed: BinaryIO) -> None:
    """Prints what is asked for, until there is no more."""
    while header := asked.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        sheet = json.loads(asked.read(length))
        printed.write(framed(pdf(sheet["title"], sheet["when"], sheet["said"])))
        printed.flush()


def framed(content: bytes) -> bytes:
    """The bytes behind their length."""
    return LENGTH.pack(len(content)) + content


if __name__ == "__main__":
    os.nice(NICENESS)
    main(sys.stdin.buffer, sys.stdout.buffer)
