"""The life of a process around its `main`: logs, telemetry, the event loop."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import uvloop

from runtime import logs, telemetry
from runtime.settings import ProcessSettings


def run(name: str, settings: ProcessSettings, main: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs `main` to its end as the process `name` of the mesh."""
    logs.configure(name, settings.log_level)
    with telemetry.exporting(name), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# Objects that are new and still there, before the collector looks at them; and how often it looks at older ones.
COLLECTOR_THRESHOLDS = (50_000, 20, 100)


def settled() -> None:
    """Says that what this process keeps is loaded: the collector of garbage need not look at it again and again.

    A call leaves a few hundred objects behind. With Python's own thresholds, a look at them for every few calls takes a
    sixth of a server's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


@asynccontextmanager
async def termination() -> AsyncIterator["Termination"]:
    """Turns SIGTERM and SIGINT into something to wait for, while the block runs."""
    loop = asyncio.get_running_loop()
    signals = Termination()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.receive)
    try:
        yield signals
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class Termination:
    """The first signal asks for a drain, the second for an end at once."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.stop = asyncio.Event()

    def receive(self) -> None:
        (self.stop if self.drain.is_set() else self.drain).set()
