"""The cache: the snapshot that each group of nodes is served now, who follows it, and what they made of it."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

import structlog

from mesh.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource
from mesh.snapshot import ORDER, Snapshot

log = structlog.get_logger()

# A node that gets these anew asks for those again, with a nonce it has answered before. Without an answer Envoy keeps
# the new cluster warming for ever.
FOLLOWED_BY = {CLUSTER: ENDPOINTS, LISTENER: ROUTES}


class Group(Enum):
    """Nodes that are served the same snapshot."""

    EDGE = "edge"
    SIBLINGS = "siblings"


@dataclass(frozen=True)
class Node:
    """Who is at the other end of a stream."""

    id: str
    group: Group


@dataclass(frozen=True)
class Request:
    """A node's subscription to a type, its ACK, or (with `error`) its NACK. No names means every resource."""

    type_url: str
    names: frozenset[str] = frozenset()
    nonce: str = ""
    error: str = ""


@dataclass(frozen=True)
class Response:
    """Resources of one type for one node."""

    type_url: str
    version: str
    nonce: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True)
class Verdict:
    """What a node last made of a type: the version it holds, or refused and why."""

    version: str
    error: str = ""

    @property
    def accepted(self) -> bool:
        return not self.error


@dataclass
class _Type:
    """One type on one stream."""

    names: frozenset[str]
    due: bool = True
    nonce: str = ""
    version: str = ""
    refused: str = ""


@dataclass(eq=False)
class Subscription:
    """One stream's share of the cache: what its node follows, has been sent and has answered."""

    cache: "Cache"
    node: Node
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _types: dict[str, _Type] = field(default_factory=dict)
    _sent: int = 0

    def hear(self, request: Request) -> None:
        """Takes in what the node says. An answer to a response that was overtaken by a newer one says nothing."""
        followed = self._types.get(request.type_url)
        if followed is None:
            self._types[request.type_url] = _Type(request.names)
        elif request.nonce in ("", followed.nonce):
            if request.names != followed.names:
                followed.names, followed.due = request.names, True
            if request.nonce:
                self._judge(request, followed)
        self.changed.set()

    def responses(self) -> Iterator[Response]:
        """What the node is to be sent now, in the order that never names what it does not know yet."""
        self.changed.clear()
        snapshot = self.cache.snapshot(self.node.group)
        for type_url in ORDER:
            followed = self._types.get(type_url)
            if followed is None or snapshot is None:
                continue
            version = snapshot.version(type_url)
            # What a node refused once it would refuse again: it is sent the next version, not the same.
            if version == followed.refused or not (followed.due or version != followed.version):
                continue
            yield self._respond(snapshot, type_url, followed)

    def _respond(self, snapshot: Snapshot, type_url: str, followed: _Type) -> Response:
        self._sent += 1
        followed.due, followed.nonce, followed.version = False, str(self._sent), snapshot.version(type_url)
        follower = self._types.get(FOLLOWED_BY.get(type_url, ""))
        if follower is not None:
            follower.due = True
        named = snapshot.of(type_url)
        wanted = sorted(followed.names & named.keys()) if followed.names else named
        return Response(type_url, followed.version, followed.nonce, tuple(named[name] for name in wanted))

    def _judge(self, request: Request, followed: _Type) -> None:
        if request.error:
            followed.refused = followed.version
            log.error(
                "resources refused",
                node=self.node.id,
                type=request.type_url,
                version=followed.version,
                error=request.error,
            )
        self.cache.record(self.node, request.type_url, Verdict(followed.version, request.error))


class Cache:
    """The current snapshots. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._snapshots: dict[Group, Snapshot] = {}
        self._subscriptions: list[Subscription] = []
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def publish(self, group: Group, snapshot: Snapshot) -> None:
        """Serves the snapshot to the group from now on."""
        if self._snapshots.get(group) == snapshot:
            return
        self._snapshots[group] = snapshot
        for subscription in self._subscriptions:
            if subscription.node.group is group:
                subscription.changed.set()

    def snapshot(self, group: Group) -> Snapshot | None:
        """What the group is served; nothing before the first snapshot."""
        return self._snapshots.get(group)

    @contextmanager
    def subscribe(self, node: Node) -> Iterator[Subscription]:
        """A subscription for the time of one stream."""
        subscription = Subscription(self, node)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            self._forget(node.id)

    def record(self, node: Node, type_url: str, verdict: Verdict) -> None:
        """Keeps what the node made of a type."""
        self._verdicts[node.id, type_url] = verdict

    def verdict(self, node_id: str, type_url: str) -> Verdict | None:
        """What a connected node last made of a type; None before its first answer."""
        return self._verdicts.get((node_id, type_url))

    def nodes(self) -> Iterable[Node]:
        """Who is connected."""
        return [subscription.node for subscription in self._subscriptions]

    def _forget(self, node_id: str) -> None:
        if not any(node.id == node_id for node in self.nodes()):
            self._verdicts = {key: verdict for key, verdict in self._verdicts.items() if key[0] != node_id}
