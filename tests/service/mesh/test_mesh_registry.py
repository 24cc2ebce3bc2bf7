"""Leases in a real Valkey, and the control plane as a process of its own."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from mesh.registry import Endpoints, follow
from mesh.topology import Address
from runtime.redis import connect
from runtime.registry import key, lease
from tests.harness import engines
from tests.service.mesh.conftest import Tokens

SECONDS_MAX = 60


async def test_endpoints_come_and_go_with_their_leases(redis_url: str) -> None:
    pictures: asyncio.Queue[Endpoints] = asyncio.Queue()
    async with connect(redis_url) as redis, asyncio.timeout(SECONDS_MAX):
        await redis.flushall()
        following = asyncio.create_task(follow(redis, pictures.put_nowait))
        assert await pictures.get() == {}
        async with lease(redis, "chat", "127.0.0.1:4001"):
            assert await pictures.get() == {"chat": frozenset({Address("127.0.0.1", 4001)})}
        assert await pictures.get() == {}
        following.cancel()


async def test_the_last_known_endpoints_outlive_the_registry(tmp_path: Path) -> None:
    pictures: asyncio.Queue[Endpoints] = asyncio.Queue()
    old, new = Address("127.0.0.1", 4001), Address("127.0.0.1", 4002)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with connect(f"unix://{tmp_path / 'valkey.sock'}") as redis, asyncio.timeout(SECONDS_MAX):
        following = asyncio.create_task(follow(redis, pictures.put_nowait))
        async with engines.valkey(tmp_path) as url:
            assert await pictures.get() == {}
            await add(url, "1", old)
            assert await pictures.get() == {"chat": frozenset({old})}
        async with engines.valkey(elsewhere) as url:
            # It comes back and has forgotten everybody. Somebody new is believed at once, and nobody is missed yet.
            await add(url, "2", new)
            (elsewhere / "valkey.sock").rename(tmp_path / "valkey.sock")
            assert await pictures.get() == {"chat": frozenset({old, new})}
            # A lease's length later the one who did not come back is gone.
            assert await pictures.get() == {"chat": frozenset({new})}
        following.cancel()


async def add(url: str, instance: str, address: Address) -> None:
    """A lease of chat that does not run out."""
    async with Redis.from_url(url) as redis:
        await redis.set(key("chat", instance), json.dumps({"address": f"{address.host}:{address.port}"}))


@pytest.fixture
def environment(certificates: Path, tokens: Tokens, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "SCENEMESH_CERTIFICATES": str(certificates / "mesh"),
        "SCENEMESH_REDIS_URL": redis_url,
        "SCENEMESH_ISSUERS": str(tokens.file),
        "SCENEMESH_EDGE_LISTEN": "127.0.0.1:0",
        "SCENEMESH_READY_FILE": str(tmp_path / "ready"),
    }


async def test_the_process_serves_until_it_is_told_to_end(environment: dict[str, str], tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "mesh", env=environment)
    ready = tmp_path / "ready"
    async with asyncio.timeout(SECONDS_MAX):
        while not ready.exists():
            await asyncio.sleep(0.05)
        assert Address.parse(ready.read_text()).host == "127.0.0.1"
        process.terminate()
        assert await process.wait() == 0
    assert not ready.exists()


async def test_the_process_refuses_a_wrong_configuration_in_one_line_a_fault(environment: dict[str, str]) -> None:
    wrong = {**environment, "SCENEMESH_ISSUERS": "/nowhere/issuers.toml"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mesh", env=wrong, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (
        78,
        "configuration: /nowhere/issuers.toml: No such file or directory\n",
    )
