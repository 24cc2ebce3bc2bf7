"""The pretend account's own time: real time, and how far a test has moved it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time


class Clock:
    """Seconds since the epoch. It is moved forward only."""

    def __init__(self, real: Callable[[], float] = time) -> None:
        self._real = real
        self._ahead = 0.0
        self._held: int | None = None

    def now(self) -> int:
        return int(self._real() + self._ahead) if self._held is None else self._held

    def real(self) -> float:
        """What the rest of the world thinks it is: signatures carry it."""
        return self._real()

    @property
    def ahead_seconds(self) -> float:
        return self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += max(0.0, seconds)

    @contextmanager
    def held(self, moment: int) -> Iterator[None]:
        """Stands at a moment: what was due then is done then, though it is later by now."""
        self._held = moment
        try:
            yield
        finally:
            self._held = None
