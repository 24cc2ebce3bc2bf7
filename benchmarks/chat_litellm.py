"""LiteLLM's proxy for `benchmarks/chat.py`, in a virtual environment of its own, which pip fills.

It is set up to be fast: one process with uvloop, a master key, no database, no callbacks and no retries. The version is
named, because releases of it have been tampered with before; it gets none of the shell's variables.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

PACKAGE = "litellm[proxy]==1.102.4"
MODEL, KEY = "mock", "sk-benchmark"
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 20
POLL_SECONDS = 0.2

CONFIGURATION = """
model_list:
  - model_name: mock
    litellm_params: {{model: openai/mock, api_base: "http://{provider}/v1", api_key: none}}
litellm_settings: {{num_retries: 0, telemetry: false}}
general_settings: {{master_key: sk-benchmark}}
"""
VARIABLES = {
    # Everything else would be fetched.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
}


def environment(directory: Path) -> Path:
    """The folder of the commands of a virtual environment that has the proxy."""
    commands = directory / "bin"
    if not (commands / "litellm").exists():
        venv.create(directory, with_pip=True)
        quiet = ("--quiet", "--quiet", "--disable-pip-version-check", "--only-binary=:all:")
        subprocess.run([commands / "python", "-m", "pip", "install", *quiet, PACKAGE], check=True)
    return commands


@asynccontextmanager
async def litellm(commands: Path, directory: Path, provider: str) -> AsyncIterator[tuple[str, int]]:
    """The address and the pid of a proxy in front of a provider; it is gone with the block."""
    configuration, log = _configured(directory, provider), directory / "log"
    port = _free_port()
    variables = {"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(directory), **VARIABLES}
    arguments = ("--config", str(configuration), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1")
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            str(commands / "litellm"), *arguments, cwd=directory, env=variables, stdout=written, stderr=written
        )
        try:
            await _until_alive(process, f"http://127.0.0.1:{port}/health/liveliness", log)
            yield f"127.0.0.1:{port}", process.pid
        finally:
            await _ended(process)


def _configured(directory: Path, provider: str) -> Path:
    """The file that says what it is in front of."""
    directory.mkdir()
    configuration = directory / "config.yaml"
    configuration.write_text(CONFIGURATION.format(provider=provider))
    return configuration


def _free_port() -> int:
    """It cannot be told to find one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def _until_alive(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS_MAX), aiohttp.ClientSession() as session:
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"LiteLLM has ended: {_last_words(log)}")
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(POLL_SECONDS)


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends it and what it has started."""
    if process.returncode is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    for child in family:
        if child.is_running():
            child.kill()
