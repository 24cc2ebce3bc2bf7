"""What gRPC clients are told: `xds:///chat` is a listener, a route table, a cluster and its endpoints.

gRPC reads a small part of what Envoy does and rejects what it does not know, so these have builders of their own.
"""

from collections.abc import Iterator
from datetime import timedelta

from envoy_data_plane.envoy.config.cluster.v3 import (
    Cluster,
    ClusterDiscoveryType,
    ClusterEdsClusterConfig,
    ClusterLbPolicy,
)
from envoy_data_plane.envoy.config.listener.v3 import ApiListener, Listener
from envoy_data_plane.envoy.config.route.v3 import (
    RetryPolicy,
    RetryPolicyRetryBackOff,
    Route,
    RouteAction,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
)

from mesh.resources import tls
from mesh.resources.resource import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource, over_ads, packed, resource
from mesh.topology import Topology
from runtime.contract import Method

CONNECT_TIMEOUT = timedelta(seconds=1)


def listeners(topology: Topology) -> Iterator[Resource]:
    """A listener for every name that a client may dial."""
    for name in topology.clusters:
        manager = HttpConnectionManager(
            rds=Rds(config_source=over_ads(), route_config_name=name),
            http_filters=[HttpFilter(name="envoy.filters.http.router", typed_config=packed(Router()))],
        )
        listener = Listener(name=name, api_listener=ApiListener(api_listener=packed(manager)))
        yield resource(LISTENER, name, listener, needs=[(ROUTES, name)])


def routes(topology: Topology) -> Iterator[Resource]:
    """A route for every RPC, and one for what is not in the contract (health, reflection).

    Routes set no deadline: with `max_stream_duration`, gRPC 1.85 ends about one in 25 first calls of a channel at once
    with DEADLINE_EXCEEDED. The caller sets a deadline, and the service keeps its policy's.
    """
    for name in topology.clusters:
        table = [
            *(_route(method) for method in topology.methods_of(name)),
            Route(match=RouteMatch(prefix=""), route=RouteAction(cluster=name)),
        ]
        host = VirtualHost(name=name, domains=["*"], routes=table)
        yield resource(ROUTES, name, RouteConfiguration(name=name, virtual_hosts=[host]), needs=[(CLUSTER, name)])


def clusters(topology: Topology) -> Iterator[Resource]:
    """A cluster for every name: round robin over mutual TLS, held to the service's SPIFFE id."""
    for name in topology.clusters:
        cluster = Cluster(
            name=name,
            type=ClusterDiscoveryType.EDS,
            eds_cluster_config=ClusterEdsClusterConfig(eds_config=over_ads()),
            lb_policy=ClusterLbPolicy.ROUND_ROBIN,
            connect_timeout=CONNECT_TIMEOUT,
            transport_socket=tls.mutual_proxyless(topology.spiffe_id(name)),
        )
        yield resource(CLUSTER, name, cluster, needs=[(ENDPOINTS, name)])


def _route(method: Method) -> Route:
    return Route(
        match=RouteMatch(path=method.path),
        route=RouteAction(
            cluster=method.cluster,
            retry_policy=_retries() if method.idempotent else None,
        ),
    )


def _retries() -> RetryPolicy:
    return RetryPolicy(
        retry_on="unavailable",
        num_retries=2,
        retry_back_off=RetryPolicyRetryBackOff(
            base_interval=timedelta(milliseconds=25), max_interval=timedelta(milliseconds=250)
        ),
    )
