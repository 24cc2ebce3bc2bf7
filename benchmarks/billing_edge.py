"""A real Envoy in front of billing_svc, fed by the control plane."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.posting import posting
from mesh import snapshot
from mesh.cache import Cache, Group
from mesh.server import SERVICE as DISCOVERY
from mesh.server import Discovery
from mesh.topology import Address, Issuer, Topology, without_comments
from runtime.contract import Contract, descriptor_set_path
from runtime.serve import serving
from runtime.settings import ProcessSettings
from tests.service.mesh.edge import rendered, running

START_SECONDS_MAX = 30
# Envoy asks for one; nobody here has a token of it.
ISSUER = Issuer(
    name="nobody",
    issuer="https://issuer.scenemesh.local",
    audience="scenemesh",
    algorithm="ES256",
    role_claim="role",
    jwks='{"keys": [{"kty": "oct", "k": "bm9ib2R5"}]}',
    jwks_uri=None,
)
UNSIGNED = 401
POLL_SECONDS = 0.1


@asynccontextmanager
async def edge(directory: Path, certificates: Path, billing: str) -> AsyncIterator[str]:
    """The address of an edge that has found billing_svc."""
    descriptors, cache = descriptor_set_path(), Cache()
    topology = Topology(
        methods=tuple(Contract.load(descriptors)),
        descriptor_set=without_comments(descriptors.read_bytes()),
        issuers=(ISSUER,),
        edge_listen=Address("127.0.0.1", 0),
        cors_origins=(),
        trust_domain="scenemesh.local",
        endpoints={"billing": frozenset([Address.parse(billing.replace("localhost", "127.0.0.1"))])},
    )
    cache.publish(Group.EDGE, snapshot.for_edge(topology))
    settings = ProcessSettings(certificates=certificates / "mesh", redis_url="unix:///nowhere")
    async with serving(settings, Discovery(cache).register, [DISCOVERY]) as control:
        bootstrap = rendered(directory, certificates, control.address)
        async with running(directory, bootstrap) as envoy:
            await _found(envoy.address)
            yield envoy.address


async def _found(address: str) -> None:
    """Waits until billing_svc answers through the edge: it refuses what is not signed."""
    async with asyncio.timeout(START_SECONDS_MAX), posting(address) as client:
        while await client.post("/v1/webhooks/stripe", {"content-type": "application/json"}, b"{}") != UNSIGNED:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


# The same Envoy as nothing but a proxy: what any endpoint has in front of it.
PROXY = """
admin:
  address: {{ pipe: {{ path: {socket} }} }}
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: peer
          route_config:
            virtual_hosts:
            - {{ name: peer, domains: ["*"], routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: peer }} }}] }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
  - name: peer
    load_assignment:
      cluster_name: peer
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}
"""


@asynccontextmanager
async def proxy(directory: Path, port: str) -> AsyncIterator[str]:
    """The address of an Envoy that passes everything on to a port, over HTTP/1.1 and without TLS."""
    async with running(directory, _proxying(directory, port)) as envoy:
        yield envoy.address


def _proxying(directory: Path, port: str) -> Path:
    directory.mkdir()
    bootstrap = directory / "bootstrap.yaml"
    bootstrap.write_text(PROXY.format(socket=directory / "admin.sock", port=port))
    return bootstrap
