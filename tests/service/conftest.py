"""Engines for the tier: started once, a new database for every test."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness import engines
from tests.harness.patience import patient

MEMBERS = ("edge", "mesh", "chat", "search", "quota", "billing")


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """No test here fails because a disk or a processor was somebody else's for some seconds."""
    with patient():
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate for every member of the mesh."""
    directory = tmp_path_factory.mktemp("certificates")
    subprocess.run([sys.executable, "-m", "mesh.certificates", "--directory", directory, *MEMBERS], check=True)
    return directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    # Not below pytest's own folder: another run closes that to the user that Postgres runs as.
    with TemporaryDirectory(prefix="scenemesh-postgres-") as directory, engines.postgres(Path(directory)) as dsn:
        yield dsn


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The DSN of an empty database."""
    async with engines.database(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def redis_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with engines.valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url
