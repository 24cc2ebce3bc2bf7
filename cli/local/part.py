"""What a stack consists of, as values: a part is one process, what it needs first, and how one sees that it serves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from cli.local.process import Launch

# The addresses of the parts that serve, or have served, by name.
Addresses = Mapping[str, str]


async def nothing() -> None:
    """What most parts have to prepare."""


@dataclass(frozen=True)
class Part:
    """One process of the stack."""

    name: str
    # Gives the command; it may use the addresses of the parts in `after`, and its own from before a restart.
    launch: Callable[[Addresses], Launch]
    # Asked again and again with the process id: the address once it serves.
    ready: Callable[[int], Awaitable[str | None]]
    after: tuple[str, ...] = ()
    # What it still needs to come to a good end, though it can start without.
    uses: tuple[str, ...] = ()
    # Before the first start.
    prepare: Callable[[], Awaitable[None]] = nothing
    # Whether it may end and be started again; the end of another one is the end of the stack.
    restarts: bool = True
    ready_seconds_max: float = 60.0


def dependents(parts: Sequence[Part], name: str) -> tuple[str, ...]:
    """Those that need the part, and so stop before it."""
    return tuple(part.name for part in parts if name in (*part.after, *part.uses))
