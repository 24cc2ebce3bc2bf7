"""A build that stops in the middle of its file, and removes it when it is ended in good order."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from services.search_svc.domain.entries import Title
from services.search_svc.domain.version import Summary
from services.search_svc.versions.build import main


def half(titles: Iterable[Title], path: Path, version: int) -> Summary:
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(f"the beginning of version {version}, with {len(list(titles))} titles")
    try:
        threading.Event().wait()
    finally:
        beside.unlink()
    raise AssertionError("it waits for ever")


if __name__ == "__main__":
    main(build_index=half)
