"""One stack for the whole tier; a test that breaks things starts its own."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.stack import Stack, running


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with running(tmp_path_factory.mktemp("stack"), "--replicas", "chat=2", "--replicas", "billing=2") as stack:
        yield stack
