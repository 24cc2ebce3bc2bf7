"""The objects of the pretend account, and what undoes a change that was refused half way."""

import json
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from cli.local.stripe.refusal import Refusal, missing

Object = dict[str, Any]

LETTERS = string.ascii_letters + string.digits
ID_CHARS = 24


def new_id(prefix: str, chars: int = ID_CHARS) -> str:
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(chars))


class Store:
    """Objects by kind and id, in the order in which they were made.

    What `find` and `all` give is only read: `edit` gives an object to change. Names that begin with `_` are ours and
    never shown.
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Object]] = {}
        self._undo: list[Callable[[], object]] = []
        # Rises with every change that was kept.
        self.version = 0

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind, newest first."""
        return list(reversed(self._tables.get(kind, {}).values()))

    def find(self, kind: str, identity: str) -> Object | None:
        return self._tables.get(kind, {}).get(identity)

    def get(self, kind: str, identity: str, param: str | None = None) -> Object:
        """Raises Refusal (404) when it does not exist."""
        found = self.find(kind, identity)
        if found is None:
            raise missing(kind, identity, param)
        return found

    def add(self, kind: str, made: Object) -> Object:
        table = self._tables.setdefault(kind, {})
        table[made["id"]] = made
        self._undo.append(lambda: table.pop(made["id"]))
        return made

    def edit(self, kind: str, identity: str) -> Object:
        """An object to change."""
        found = self.get(kind, identity)
        before = deepcopy(found)

        def undo() -> None:
            found.clear()
            found.update(before)

        self._undo.append(undo)
        return found

    def shorten(self, kind: str, most: int) -> None:
        """Forgets the oldest of a kind beyond so many, for good."""
        table = self._tables.get(kind, {})
        for identity in list(table)[: max(0, len(table) - most)]:
            del table[identity]

    def drop(self, kind: str, identity: str) -> None:
        """Forgets an object, for good."""
        self._tables.get(kind, {}).pop(identity, None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside is kept, or nothing: a Refusal that does not keep undoes it."""
        mark = len(self._undo)
        try:
            yield
        except BaseException as error:
            if not (isinstance(error, Refusal) and error.keeps):
                self._back(mark)
            raise
        finally:
            if mark == 0:
                self.version += bool(self._undo)
                self._undo.clear()

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """Nothing that is done inside is kept."""
        mark = len(self._undo)
        try:
            yield
        finally:
            self._back(mark)

    def _back(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()

    def touch(self) -> None:
        """Notes that something changed which nobody will undo."""
        self.version += 1

    def read(self, file: Path) -> None:
        """Takes what `write` wrote; nothing when there is no file."""
        if file.exists():
            self._tables = json.loads(file.read_text())

    def write(self, file: Path) -> None:
        """Replaces the file in one step."""
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(self._tables))
        new.replace(file)
