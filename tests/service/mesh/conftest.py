"""The control plane in process, toy members of the mesh, and a real Envoy, once for all tests of the folder."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoy_data_plane.envoy.config.core.v3 import HealthCheck

from mesh import issuers, snapshot
from mesh.cache import Cache, Group
from mesh.resources import admission as admitting
from mesh.resources import clusters, routes, siblings
from mesh.server import SERVICE, Discovery
from mesh.topology import Address, Topology, without_comments
from runtime.contract import Contract, descriptor_set_path
from runtime.serve import Register, serving
from runtime.settings import ProcessSettings
from tests.harness.patience import TIMES
from tests.service.mesh import edge, members

SECONDS_MAX = 60
ISSUER = "https://issuer.scenemesh.local"


# What Envoy goes by.
LIMITS = (
    (clusters, "CONNECT_TIMEOUT"),
    (clusters, "PONG_TIMEOUT"),
    (siblings, "CONNECT_TIMEOUT"),
    (admitting, "TIMEOUT"),
    (routes, "GRACE"),
)


@contextmanager
def patient() -> Iterator[None]:
    """Resources that are made in the block have Envoy wait for whoever stands still, as all members here do at once."""
    health_check = clusters._health_check

    def patient_health_check() -> HealthCheck:
        check = health_check()
        assert check.timeout is not None
        check.timeout = TIMES * check.timeout
        return check

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "_health_check", patient_health_check)
        for module, name in LIMITS:
            patch.setattr(module, name, TIMES * getattr(module, name))
        yield


@dataclass(frozen=True)
class Tokens:
    """The local issuer."""

    key: ec.EllipticCurvePrivateKey
    file: Path

    def __call__(self, *, key: Any = None, algorithm: str = "ES256", **claims: Any) -> str:
        """A token for `ada`, with these claims instead; a claim that is None is left out."""
        now = int(time.time())
        standard = {"iss": ISSUER, "aud": "scenemesh", "sub": "ada", "role": "user", "iat": now, "exp": now + 600}
        kept = {name: value for name, value in (standard | claims).items() if value is not None}
        return jwt.encode(kept, self.key if key is None else key, algorithm)


@dataclass
class Control:
    """The control plane under test."""

    cache: Cache
    topology: Topology
    address: str = ""

    def publish(self, endpoints: Mapping[str, frozenset[Address]]) -> None:
        """Serves a topology with these endpoints in addition to those it has."""
        self.topology = replace(self.topology, endpoints={**self.topology.endpoints, **endpoints})
        with patient():
            self.cache.publish(Group.EDGE, snapshot.for_edge(self.topology))
            self.cache.publish(Group.SIBLINGS, snapshot.for_siblings(self.topology))


@dataclass(frozen=True)
class Start:
    """Starts a member of the mesh; it ends with the fixture."""

    certificates: Path
    stack: AsyncExitStack

    async def __call__(self, name: str, register: Register, *services: str) -> Address:
        settings = ProcessSettings(certificates=self.certificates / name, redis_url="unix:///nowhere")
        server = await self.stack.enter_async_context(serving(settings, register, services))
        return Address.parse(server.address)


@dataclass(frozen=True)
class Caller:
    """Calls the edge from outside."""

    address: str
    session: aiohttp.ClientSession

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0)])

    async def health(self) -> int:
        """The status of the edge's own health check."""
        async with self.session.get(f"http://{self.address}/healthz") as response:
            return response.status

    async def rest(
        self, verb: str, path: str, token: str = "", headers: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[int, Any]:
        """The status, and the body from JSON."""
        sent = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        async with self.session.request(verb, f"http://{self.address}{path}", headers=sent, **options) as response:
            return response.status, await response.json()


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    directory = tmp_path_factory.mktemp("issuers")
    key = ec.generate_private_key(ec.SECP256R1())
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())
    (directory / "local.json").write_text(f'{{"keys": [{public}]}}')
    file = directory / "issuers.toml"
    file.write_text(
        f'[[issuer]]\nname = "local"\nissuer = "{ISSUER}"\naudience = "scenemesh"\n'
        'algorithm = "ES256"\njwks_file = "local.json"\n'
    )
    return Tokens(key, file)


@pytest.fixture(scope="session")
async def start(certificates: Path) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:
        yield Start(certificates, stack)


@pytest.fixture(scope="session")
def admission() -> members.Admission:
    return members.Admission()


@pytest.fixture(scope="session")
def webhooks() -> members.Webhooks:
    return members.Webhooks()  # type: ignore[abstract] # it answers only what the tests ask


@pytest.fixture(scope="session")
async def control(tokens: Tokens, start: Start, admission: members.Admission, webhooks: members.Webhooks) -> Control:
    """The control plane, with one endpoint for every cluster."""
    descriptors = descriptor_set_path()
    topology = Topology(
        methods=tuple(Contract.load(descriptors)),
        descriptor_set=without_comments(descriptors.read_bytes()),
        issuers=issuers.load(tokens.file),
        edge_listen=Address("127.0.0.1", 0),
        cors_origins=("http://localhost:5173",),
        trust_domain="scenemesh.local",
        endpoints={},
    )
    control = Control(Cache(), topology)
    address = await start("mesh", Discovery(control.cache).register, SERVICE)
    control.address = f"{address.host}:{address.port}"
    control.publish(
        {
            "quota": frozenset([await start("quota", members.quota("1"), "scenemesh.quota.v1.QuotaService")]),
            "search": frozenset([await start("search", members.search("1"), "scenemesh.search.v1.SearchService")]),
            "chat": frozenset([await start("chat", members.chat(), *members.CHAT)]),
            "billing": frozenset([await start("billing", members.billing(webhooks), *members.BILLING)]),
            "edge": frozenset([await start("edge", admission.register, members.ADMISSION)]),
        }
    )
    return control


@pytest.fixture(scope="session")
async def envoy(
    control: Control, certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[edge.Envoy]:
    directory = tmp_path_factory.mktemp("envoy")
    async with edge.running(directory, edge.rendered(directory, certificates, control.address)) as envoy:
        yield envoy


@pytest.fixture(scope="session")
async def caller(envoy: edge.Envoy) -> AsyncIterator[Caller]:
    """A caller of an edge that has found every service."""
    async with aiohttp.ClientSession() as session:
        caller = Caller(envoy.address, session)
        await until_healthy(caller)
        yield caller


@pytest.fixture
async def topology(control: Control, caller: Caller) -> AsyncIterator[Control]:
    """The control plane, for a test that changes endpoints: they are as they were before the next one."""
    before = control.topology.endpoints
    yield control
    control.publish(before)
    await until_healthy(caller)


async def until_healthy(caller: Caller) -> None:
    """Waits until Envoy has found an endpoint of every service in good health."""
    async with asyncio.timeout(SECONDS_MAX):
        while await caller.health() != 200:
            await asyncio.sleep(0.05)
