"""Live endpoints from the leases that serving processes keep in Redis.

A registry that cannot be read changes nothing: the mesh goes on with the endpoints it knew. For the length of a lease
after a loss, and after a restart that emptied Redis, only additions are believed: everyone needs that long to say again
that they are there.
"""

import asyncio
import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mesh.topology import Address
from runtime.registry import LEASE_MS, PREFIX

log = structlog.get_logger()

POLL_SECONDS = 0.25
SCAN_COUNT = 500

Endpoints = Mapping[str, frozenset[Address]]


@dataclass(frozen=True)
class Picture:
    """What Redis held at one moment. `server` names the run of the Redis process that said so."""

    server: str
    endpoints: Endpoints


@dataclass
class Registry:
    """What is believed of the pictures seen so far. Times are seconds on any steady clock."""

    endpoints: Endpoints = field(default_factory=dict)
    _server: str = ""
    _doubted_until: float = float("-inf")

    def seen(self, picture: Picture, now: float) -> None:
        """Takes in a picture."""
        if self._server and picture.server != self._server:
            self.lost(now)
        self._server = picture.server
        self.endpoints = picture.endpoints if now >= self._doubted_until else union(self.endpoints, picture.endpoints)

    def lost(self, now: float) -> None:
        """Redis could not be read."""
        self._doubted_until = now + LEASE_MS / 1000


async def follow(redis: Redis, publish: Callable[[Endpoints], None]) -> None:
    """Publishes the live endpoints once they are known, and whenever they change, until cancelled."""
    registry, clock, reachable = Registry(), asyncio.get_running_loop().time, True
    published: Endpoints | None = None
    while True:
        try:
            registry.seen(await picture(redis), clock())
            reachable = True
            if registry.endpoints != published:
                published = registry.endpoints
                log.info("endpoints", **{name: len(addresses) for name, addresses in published.items()})
                publish(published)
        except RedisError as error:
            registry.lost(clock())
            if reachable:
                log.warning("registry unreachable: the last known endpoints stay", error=str(error))
            reachable = False
        except Exception:
            # Out of here it would end the process; what Envoy knows goes on.
            log.exception("defect in following the registry")
        await asyncio.sleep(POLL_SECONDS)


async def picture(redis: Redis) -> Picture:
    """What Redis holds now."""
    server = str((await redis.info("server")).get("run_id", ""))
    keys = [key async for key in redis.scan_iter(match=f"{PREFIX}*", count=SCAN_COUNT)]
    values: list[bytes | None] = await redis.mget(keys) if keys else []  # type: ignore[assignment] # never decoded
    return Picture(server, parsed(zip(keys, values, strict=True)))


def parsed(leases: Iterable[tuple[bytes, bytes | None]]) -> Endpoints:
    """Addresses by cluster. A lease that ran out meanwhile, or that nobody can read, is left out.

    Only IP addresses count: Envoy would refuse everybody's endpoints for one host name among them.
    """
    endpoints: dict[str, set[Address]] = {}
    for key, value in leases:
        if value is None:
            continue
        cluster = key.decode(errors="replace").removeprefix(PREFIX).partition(":")[0]
        try:
            address = Address.parse(json.loads(value)["address"])
            ipaddress.ip_address(address.host)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("unreadable lease", cluster=cluster, error=str(error))
            continue
        endpoints.setdefault(cluster, set()).add(address)
    return {cluster: frozenset(addresses) for cluster, addresses in sorted(endpoints.items())}


def union(some: Endpoints, others: Endpoints) -> Endpoints:
    """Every endpoint of either."""
    return {
        cluster: some.get(cluster, frozenset()) | others.get(cluster, frozenset())
        for cluster in sorted({*some, *others})
    }
