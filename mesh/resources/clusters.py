"""Clusters of the edge: the services, over HTTP/2 and mutual TLS, and the issuers' key servers."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    CircuitBreakersThresholdsRetryBudget,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
    ClusterEdsClusterConfig,
    ClusterLbPolicy,
    OutlierDetection,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http2ProtocolOptions,
    KeepaliveSettings,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.v3 import Percent

from mesh.resources import tls
from mesh.resources.endpoints import assignment
from mesh.resources.resource import CLUSTER, ENDPOINTS, Resource, over_ads, packed, resource
from mesh.topology import Address, Issuer, Topology

CONNECT_TIMEOUT = timedelta(seconds=1)
# Our servers suffer pings that are more frequent than this (runtime/serve.py), however silent their streams are.
PING_INTERVAL = timedelta(seconds=30)
PONG_TIMEOUT = timedelta(seconds=5)
BUFFER_BYTES_MAX = 32 * 1024
REQUESTS_MAX = 4096
STREAM_BYTES = 64 * 1024
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def for_edge(topology: Topology) -> Iterator[Resource]:
    """A cluster for every service and every issuer whose keys are fetched."""
    for name in topology.clusters:
        yield resource(CLUSTER, name, service(name, topology.spiffe_id(name)), needs=[(ENDPOINTS, name)])
    for issuer in topology.issuers:
        if issuer.jwks_uri is not None:
            yield resource(CLUSTER, key_server_name(issuer), key_server(issuer, issuer.jwks_uri))


def service(name: str, spiffe_id: str) -> Cluster:
    """The cluster of one of our services."""
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.EDS,
        eds_cluster_config=ClusterEdsClusterConfig(eds_config=over_ads()),
        lb_policy=ClusterLbPolicy.LEAST_REQUEST,
        connect_timeout=CONNECT_TIMEOUT,
        per_connection_buffer_limit_bytes=BUFFER_BYTES_MAX,
        transport_socket=tls.mutual(spiffe_id),
        typed_extension_protocol_options={HTTP_OPTIONS: packed(_http2())},
        health_checks=[_health_check()],
        outlier_detection=_outlier_detection(),
        circuit_breakers=_circuit_breakers(),
        common_lb_config=ClusterCommonLbConfig(
            # Traffic sent to endpoints known to be down only hides that they are.
            healthy_panic_threshold=Percent(value=0),
            # By default Envoy's workers hear of a new endpoint's good health a second late.
            update_merge_window=timedelta(0),
        ),
        ignore_health_on_host_removal=True,
    )


def key_server_name(issuer: Issuer) -> str:
    return f"keys-{issuer.name}"


def key_server(issuer: Issuer, uri: str) -> Cluster:
    """The cluster that an issuer's key set is fetched from."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return Cluster(
        name=key_server_name(issuer),
        type=ClusterDiscoveryType.STRICT_DNS,
        connect_timeout=CONNECT_TIMEOUT,
        load_assignment=assignment(key_server_name(issuer), [Address(host, parts.port or 443)]),
        transport_socket=tls.public(host),
    )


def _http2() -> HttpProtocolOptions:
    http2 = Http2ProtocolOptions(
        # So much of an answer waits here for a reader who is slow; the rest stays with the service. All that may be
        # unread together has room in a connection, or the slow ones would hold up the others.
        initial_stream_window_size=STREAM_BYTES,
        initial_connection_window_size=REQUESTS_MAX * STREAM_BYTES,
        connection_keepalive=KeepaliveSettings(interval=PING_INTERVAL, timeout=PONG_TIMEOUT),
    )
    return HttpProtocolOptions(explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=http2))


def _health_check() -> HealthCheck:
    # Without `no_traffic_interval` an endpoint that nobody has called yet is looked at once a minute.
    return HealthCheck(
        grpc_health_check=HealthCheckGrpcHealthCheck(),
        interval=timedelta(seconds=1),
        no_traffic_interval=timedelta(seconds=1),
        timeout=timedelta(seconds=1),
        unhealthy_threshold=2,
        healthy_threshold=1,
    )


def _outlier_detection() -> OutlierDetection:
    return OutlierDetection(
        consecutive_5xx=5,
        consecutive_gateway_failure=3,
        enforcing_consecutive_gateway_failure=100,
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=3,
        interval=timedelta(seconds=5),
        base_ejection_time=timedelta(seconds=15),
        max_ejection_time=timedelta(seconds=120),
        max_ejection_percent=50,
    )


def _circuit_breakers() -> CircuitBreakers:
    # The default of three retries at once overflows in every rolling restart.
    budget = CircuitBreakersThresholdsRetryBudget(budget_percent=Percent(value=100), min_retry_concurrency=50)
    thresholds = CircuitBreakersThresholds(
        max_connections=1024,
        max_pending_requests=1024,
        max_requests=REQUESTS_MAX,
        retry_budget=budget,
        track_remaining=True,
    )
    return CircuitBreakers(thresholds=[thresholds])
