"""`python -m mesh`: the control plane as a process."""

import asyncio
import sys
from dataclasses import replace

from mesh import issuers, registry, snapshot
from mesh.cache import Cache, Group
from mesh.server import SERVICE, Discovery
from mesh.settings import MeshSettings
from mesh.topology import Address, Topology, without_comments
from runtime import process, redis
from runtime.contract import Contract, ContractError
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load


async def main(settings: MeshSettings, topology: Topology) -> None:
    cache = Cache()

    def publish(endpoints: registry.Endpoints) -> None:
        live = replace(topology, endpoints=endpoints)
        cache.publish(Group.EDGE, snapshot.for_edge(live))
        cache.publish(Group.SIBLINGS, snapshot.for_siblings(live))

    # Until the registry has been read nothing is served: a control plane that comes back knows less than the nodes do
    # and must not take their endpoints away. Its streams never end by themselves, so nothing is waited for at the end.
    unhurried = settings.model_copy(update={"control_plane": "", "drain_seconds": 0})
    async with redis.connect(settings.redis_url) as connection, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(registry.follow(connection, publish))
        await serve(unhurried, "mesh", Discovery(cache).register, [SERVICE])
        following.cancel()


def topology(settings: MeshSettings) -> Topology:
    """The mesh before anyone has registered. Raises what is wrong with the files that it is read from."""
    return Topology(
        methods=tuple(Contract.load(settings.descriptors)),
        descriptor_set=without_comments(settings.descriptors.read_bytes()),
        issuers=issuers.load(*settings.issuer_files),
        edge_listen=Address.parse(settings.edge_listen),
        cors_origins=settings.origins,
        trust_domain=settings.trust_domain,
        endpoints={},
    )


if __name__ == "__main__":
    settings = load(MeshSettings)
    try:
        mesh = topology(settings)
    except (ContractError, issuers.IssuersError, OSError, ValueError) as error:
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)
    process.run("mesh", settings, lambda: main(settings, mesh))
