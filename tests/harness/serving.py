"""One service in process, behind the real server: mutual TLS, interceptors, health."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from runtime.certificates import Certificates
from runtime.serve import Register, serving
from runtime.settings import ProcessSettings


@dataclass(frozen=True)
class Dial:
    """Opens channels to the service: `dial("chat")` has the certificate of that member of the mesh."""

    target: str
    certificates: Path
    stack: AsyncExitStack

    def __call__(self, peer: str) -> grpc.aio.Channel:
        channel = grpc.aio.secure_channel(self.target, client_credentials(self.certificates / peer))
        self.stack.push_async_callback(channel.close)
        return channel


@asynccontextmanager
async def served(certificates: Path, name: str, register: Register, *services: str) -> AsyncIterator[Dial]:
    """Serves as `name`. The block gets a dial."""
    settings = ProcessSettings(certificates=certificates / name, redis_url="unix:///nowhere")
    async with serving(settings, register, services) as server, AsyncExitStack() as stack:
        yield Dial(server.address.replace("127.0.0.1", "localhost"), certificates, stack)


def client_credentials(directory: Path) -> grpc.ChannelCredentials:
    """Credentials of a mesh member for a channel without the control plane."""
    own = Certificates(directory)
    return grpc.ssl_channel_credentials(own.authority.read_bytes(), own.key.read_bytes(), own.certificate.read_bytes())
