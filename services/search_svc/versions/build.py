"""`python -m services.search_svc.versions.build`: one build, in a process of its own so that queries stay as fast.

Reads the recent queries from standard input, a JSON object a line up to an empty line; when standard input ends, so
does the build. Says what it does and what came of it on standard output, a JSON object a line.
"""

import argparse
import errno
import json
import os
import signal
import sys
import threading
import time
from asyncio import Runner
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import MeshError
from runtime.settings import load
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.entries import Title
from services.search_svc.domain.version import Built, Failed, Order, Outcome, Summary
from services.search_svc.index.build import build
from services.search_svc.store import SCHEMA, Catalogue
from services.search_svc.versions import wire
from services.search_svc.versions.comparing import compared
from services.search_svc.versions.files import Files, UnusableFile

NICENESS = 10
# The kernel ends a process with more of these first when there is no memory left: this one, not one that serves.
OOM_SCORE = "500"
GRACE_SECONDS = 5.0
TITLES_AT_ONCE = 500
COMMAND_SECONDS = 60.0

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

BuildIndex = Callable[[Iterable[Title], Path, int], Summary]
Titles = Callable[[str], Generator[Title, None, None]]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SCENEMESH_", frozen=True, extra="ignore")

    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `search`")


def titles_in(dsn: str) -> Generator[Title, None, None]:
    """The merged titles of the catalogue."""
    with Runner() as runner:
        connections = runner.run(_pool(dsn))
        catalogue = Catalogue(connections, partial(datetime.now, UTC))
        titles = catalogue.titles()
        try:
            while some := runner.run(_some(titles)):
                yield from some
        except GeneratorExit:
            runner.run(titles.aclose())
            raise
        finally:
            connections.terminate()


def main(titles: Titles = titles_in, build_index: BuildIndex = build) -> None:
    """Builds one index, and says the outcome."""
    arguments = _arguments()
    _step_back()
    queries = list(_queries())
    _end_with_parent()
    order = Order(arguments.number, arguments.baseline, arguments.baseline_checksum)
    outcome = _outcome(order, arguments.directory, titles, build_index, queries)
    _tell(wire.told(outcome))


def _outcome(
    order: Order, directory: Path, titles: Titles, build_index: BuildIndex, queries: Sequence[Asked]
) -> Outcome:
    files = Files(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        dsn = load(Settings).postgres_dsn.get_secret_value()
        with closing(titles(dsn)) as stream:
            summary = build_index(_counted(stream), files.path(order.number), order.number)
        index = files.opened(order.number, summary.checksum)
    except MeshError as error:
        return Failed(f"The catalogue could not be read: {error.message} It is built anew.", again=True)
    except UnusableFile as error:
        return Failed(f"What was written {error}: look at the disk, then build again.")
    except OSError as error:
        if error.errno in NO_ROOM:
            return Failed(f"There is no room for the index: make some in {directory}, then build again.")
        return Failed(f"The index cannot be written to {directory}: {error.strerror}. Change that, then build again.")
    _tell({"step": "comparing", "queries": len(queries)})
    return Built(summary, compared(files, order, index, queries))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.search_svc.versions.build")
    parser.add_argument("--directory", type=Path, required=True, help="where indexes are")
    parser.add_argument("--number", type=int, required=True, help="the new version")
    parser.add_argument("--baseline", type=int, help="the version to compare it with")
    parser.add_argument("--baseline-checksum", default="", help="SHA-256 of its file, in hexadecimal digits")
    return parser.parse_args()


def _step_back() -> None:
    """Leaves processor and memory to those who serve."""
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


def _queries() -> Iterator[Asked]:
    for line in iter(sys.stdin.buffer.readline, b"\n"):
        if not line:
            sys.exit("standard input ended before the queries did")
        yield wire.asked(json.loads(line))


def _end_with_parent() -> None:
    """Ends this process in good order when its standard input ends, because the parent did or wants it so."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # The main thread may be at something that takes long and does not notice signals.
    time.sleep(GRACE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def _counted(titles: Iterable[Title]) -> Iterator[Title]:
    count = 0
    for title in titles:
        count += 1
        yield title
    _tell({"step": "building", "titles": count})


def _tell(message: wire.Message) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def _pool(dsn: str) -> "asyncpg.Pool[asyncpg.Record]":
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=1,
        command_timeout=COMMAND_SECONDS,
        timeout=COMMAND_SECONDS,
        server_settings={"search_path": SCHEMA, "application_name": f"{SCHEMA} build"},
    )


async def _some(titles: AsyncGenerator[Title, None]) -> list[Title]:
    """The next titles; none when there are no more."""
    some: list[Title] = []
    async for title in titles:
        some.append(title)
        if len(some) == TITLES_AT_ONCE:
            break
    return some


if __name__ == "__main__":
    main()
