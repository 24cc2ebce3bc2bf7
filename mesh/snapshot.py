"""A snapshot: resources that belong together, as one value with a version for each type."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mesh import resources
from mesh.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource
from mesh.topology import Topology

# What names something comes after what it names: clusters, their endpoints, listeners, their routes.
ORDER = (CLUSTER, ENDPOINTS, LISTENER, ROUTES)

VERSION_CHARACTERS = 16


class Inconsistent(Exception):
    """A snapshot that must not be served; the message names every fault, a line each."""


@dataclass(frozen=True)
class Snapshot:
    """Equal content has equal versions, whatever the order or the process that made it."""

    by_type: Mapping[str, Mapping[str, Resource]]
    versions: Mapping[str, str]

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """The resources of a type by name; none for a type that is not served."""
        return self.by_type.get(type_url, {})

    def version(self, type_url: str) -> str:
        """The version of a type's resources."""
        return self.versions.get(type_url, "")


def snapshot(members: Iterable[Resource]) -> Snapshot:
    """The snapshot of these resources. Raises Inconsistent."""
    members = tuple(members)
    consistent(members)
    by_type = {
        type_url: {member.name: member for member in members if member.type_url == type_url} for type_url in ORDER
    }
    return Snapshot(by_type, {type_url: _version(named.values()) for type_url, named in by_type.items()})


def for_edge(topology: Topology) -> Snapshot:
    """What Envoy is served."""
    return snapshot(resources.for_edge(topology))


def for_siblings(topology: Topology) -> Snapshot:
    """What gRPC clients are served."""
    return snapshot(resources.for_siblings(topology))


def consistent(members: Iterable[Resource]) -> None:
    """Raises Inconsistent unless names are unique and every resource's needs are there."""
    seen: set[tuple[str, str]] = set()
    needed: dict[tuple[str, str], str] = {}
    faults: list[str] = []
    for member in members:
        identity = (member.type_url, member.name)
        if identity in seen:
            faults.append(f"{_label(*identity)} stands twice")
        seen.add(identity)
        needed |= dict.fromkeys(member.needs, _label(*identity))
    faults += [f"{who} needs {_label(*need)}" for need, who in sorted(needed.items()) if need not in seen]
    if faults:
        raise Inconsistent("\n".join(faults))


def _label(type_url: str, name: str) -> str:
    return f"{type_url.rpartition('.')[2]} {name}"


def _version(members: Iterable[Resource]) -> str:
    digest = hashlib.sha256()
    for member in sorted(members, key=lambda member: member.name):
        for part in (member.name.encode(), member.value):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()[:VERSION_CHARACTERS]
