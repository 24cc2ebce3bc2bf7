"""The live answers of a process: the more there are, the more of its words each one says at once."""

from collections.abc import Callable

# So many are passed on word by word.
FEW = 32
# Beyond, each is listened to every so often: a process has so much time for it.
SECONDS_EACH = 0.0004
PAUSE_SECONDS_MAX = 0.2

# Seconds for which a model that has just been listened to may be left alone.
Pause = Callable[[], float]


def at_once() -> float:
    """No pause."""
    return 0.0


class Crowd:
    """Counts them; `answers` are those that are being made just now."""

    def __init__(self, answers: int = 0) -> None:
        self.answers = answers

    def pause(self) -> float:
        """Seconds between two looks at what a model says: what came meanwhile costs little more than one word."""
        return min(self.answers * SECONDS_EACH, PAUSE_SECONDS_MAX) if self.answers > FEW else 0.0

    def share(self, of: int) -> int:
        """What each answer has of something that all of them share; one at least."""
        return max(1, of // max(1, self.answers))
