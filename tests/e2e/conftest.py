"""One stack for the whole tier; a test that breaks things starts its own."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.stack import Stack, running
from tests.harness.midnight import seconds_to_wait

PASSED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with running(tmp_path_factory.mktemp("stack"), "--replicas", "chat=2", "--replicas", "billing=2") as stack:
        yield stack


@pytest.fixture(autouse=True)
async def one_day() -> None:
    """No test begins just before midnight: a new day gives everybody new turns."""
    while seconds := seconds_to_wait(datetime.now(UTC)):
        await asyncio.sleep(min(seconds, 1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remembers whether a test passed."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test scripts for the model of its stack is not for the next one."""
    stack: Stack | None = request.getfixturevalue("stack") if "stack" in request.fixturenames else None
    yield
    if stack is not None:
        left = stack.provider.fake.forget()
        assert not (left and request.node.stash.get(PASSED, False)), f"it left {left} behind"
