"""The mesh as one value: everything that the resources are derived from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf import descriptor_pb2

from runtime.contract import Method

# The process that answers Envoy's admission checks and reflection; it has no RPC of its own in the contract.
EDGE = "edge"


@dataclass(frozen=True, order=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address in `host:port`; IPv6 hosts stand in brackets. ValueError if it is none."""
        host, separator, port = text.rpartition(":")
        if not separator or not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{text!r} is not host:port")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


@dataclass(frozen=True)
class Issuer:
    """Somebody whose tokens the edge accepts. Exactly one of `jwks` (a key set as JSON) and `jwks_uri` is set."""

    name: str
    issuer: str
    audience: str
    algorithm: str
    role_claim: str
    jwks: str | None
    jwks_uri: str | None


@dataclass(frozen=True)
class Topology:
    """Frozen; a change in the mesh is a new topology."""

    methods: tuple[Method, ...]
    # Serialised google.protobuf.FileDescriptorSet of the contract, without comments.
    descriptor_set: bytes
    issuers: tuple[Issuer, ...]
    edge_listen: Address
    cors_origins: tuple[str, ...]
    trust_domain: str
    # Live addresses by cluster; a cluster without any may be missing.
    endpoints: Mapping[str, frozenset[Address]]

    @property
    def services(self) -> tuple[str, ...]:
        """The clusters that the contract names."""
        return tuple(sorted({method.cluster for method in self.methods}))

    @property
    def clusters(self) -> tuple[str, ...]:
        """Every cluster of the mesh."""
        return tuple(sorted({*self.services, EDGE}))

    def methods_of(self, cluster: str) -> Iterable[Method]:
        """The RPCs that `cluster` serves, in the order of their paths."""
        return sorted((method for method in self.methods if method.cluster == cluster), key=lambda method: method.path)

    def addresses(self, cluster: str) -> list[Address]:
        """The live addresses of `cluster`, in a stable order."""
        return sorted(self.endpoints.get(cluster, ()))

    def spiffe_id(self, name: str) -> str:
        """The identity in the certificate of the process `name`."""
        return f"spiffe://{self.trust_domain}/{name}"


def without_comments(descriptor_set: bytes) -> bytes:
    """The same descriptor set without what only people read, which is most of it."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set)
    for file in files.file:
        file.ClearField("source_code_info")
    return files.SerializeToString(deterministic=True)
