"""Endpoints: one load assignment a cluster, empty while nobody serves it."""

from collections.abc import Iterator

from envoy_data_plane.envoy.config.core.v3 import Address as EnvoyAddress
from envoy_data_plane.envoy.config.core.v3 import Locality, SocketAddress
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)

from mesh.resources.resource import ENDPOINTS, Resource, resource
from mesh.topology import Address, Topology


def assignments(topology: Topology) -> Iterator[Resource]:
    """A load assignment for every cluster of the mesh."""
    for cluster in topology.clusters:
        yield resource(ENDPOINTS, cluster, assignment(cluster, topology.addresses(cluster)))


def assignment(cluster: str, addresses: list[Address]) -> ClusterLoadAssignment:
    if not addresses:
        return ClusterLoadAssignment(cluster_name=cluster)
    # gRPC ignores a locality that has no weight.
    locality = LocalityLbEndpoints(
        locality=Locality(zone="local"),
        load_balancing_weight=1,
        lb_endpoints=[LbEndpoint(endpoint=Endpoint(address=socket_address(address))) for address in addresses],
    )
    return ClusterLoadAssignment(cluster_name=cluster, endpoints=[locality])


def socket_address(address: Address) -> EnvoyAddress:
    return EnvoyAddress(socket_address=SocketAddress(address=address.host, port_value=address.port))
