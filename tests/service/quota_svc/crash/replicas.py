"""`python -m services.quota_svc`, as often as it is wanted, and what it needs of the mesh."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mesh import snapshot
from mesh.cache import Cache, Group
from mesh.server import SERVICE as DISCOVERY
from mesh.server import Discovery
from mesh.topology import Address, Topology, without_comments
from runtime.contract import Contract, descriptor_set_path
from runtime.serve import serving
from runtime.settings import ProcessSettings
from scenemesh.billing.v1.billing_pb2_grpc import add_BillingServiceServicer_to_server
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from tests.harness.serving import Dial
from tests.service.quota_svc.billing import Billing
from tests.service.quota_svc.crash.member import Member

if TYPE_CHECKING:
    from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceAsyncStub

BILLING = "scenemesh.billing.v1.BillingService"


@asynccontextmanager
async def control_plane(certificates: Path, billing: Billing) -> AsyncIterator[str]:
    """The address of a control plane that knows a billing, both in this process."""

    def settings(name: str) -> ProcessSettings:
        return ProcessSettings(certificates=certificates / name, redis_url="unix:///nowhere")

    descriptors, cache = descriptor_set_path(), Cache()
    register = partial(add_BillingServiceServicer_to_server, billing)
    async with serving(settings("billing"), register, [BILLING]) as found:
        topology = Topology(
            methods=tuple(Contract.load(descriptors)),
            descriptor_set=without_comments(descriptors.read_bytes()),
            issuers=(),
            edge_listen=Address("127.0.0.1", 0),
            cors_origins=(),
            trust_domain="scenemesh.local",
            endpoints={"billing": frozenset([Address.parse(found.address)])},
        )
        cache.publish(Group.SIBLINGS, snapshot.for_siblings(topology))
        async with serving(settings("mesh"), Discovery(cache).register, [DISCOVERY]) as server:
            yield server.address


class Replica:
    """One replica. Each of its lives has a port of its own, and `stub` goes to the latest."""

    def __init__(
        self, name: str, directory: Path, certificates: Path, environment: Mapping[str, str], stack: AsyncExitStack
    ) -> None:
        self.member = Member(name, self._start, self._ready)
        self.log = directory / f"{name}.log"
        self._ready_file = directory / f"{name}.ready"
        self._certificates = certificates
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SCENEMESH_")},
            **environment,
            "SCENEMESH_CERTIFICATES": str(certificates / "quota"),
            "SCENEMESH_READY_FILE": str(self._ready_file),
        }
        self._stack = stack
        self._address = ""
        self._stubs: dict[str, QuotaServiceAsyncStub] = {}

    def stub(self, peer: str) -> "QuotaServiceAsyncStub | None":
        """A client with the certificate of that member of the mesh; None before the first life."""
        if not self._address:
            return None
        if peer not in self._stubs:
            self._stubs[peer] = QuotaServiceStub(Dial(self._address, self._certificates, self._stack)(peer))
        return self._stubs[peer]

    async def _start(self) -> Process:
        self._ready_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.quota_svc"),
                env=self._environment,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )

    async def _ready(self, process: Process) -> bool:
        try:
            address = self._ready_file.read_text()
        except OSError:
            return False
        self._address = address.replace("127.0.0.1", "localhost")
        self._stubs = {}
        return True
