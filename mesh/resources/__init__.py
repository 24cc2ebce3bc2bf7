"""From a topology to xDS resources: pure functions, one file a kind of resource.

Two audiences read them. The edge is Envoy: it gets a listener with its whole filter chain. The siblings are our gRPC
processes, which resolve `xds:///chat` and need no proxy.
"""

from mesh.resources import clusters, endpoints, listeners, routes, siblings
from mesh.resources.resource import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource
from mesh.topology import Topology

__all__ = ["CLUSTER", "ENDPOINTS", "LISTENER", "ROUTES", "Resource", "for_edge", "for_siblings"]


def for_edge(topology: Topology) -> tuple[Resource, ...]:
    """Everything that Envoy is told."""
    return (
        *clusters.for_edge(topology),
        *endpoints.assignments(topology),
        listeners.edge(topology),
        routes.edge(topology),
    )


def for_siblings(topology: Topology) -> tuple[Resource, ...]:
    """Everything that a gRPC client may ask for."""
    return (
        *siblings.clusters(topology),
        *endpoints.assignments(topology),
        *siblings.listeners(topology),
        *siblings.routes(topology),
    )
