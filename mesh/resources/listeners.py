"""The edge's listener: one cleartext port for gRPC, grpc-web and REST, with everything a public port needs."""

from datetime import timedelta

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation, HeaderMutationRemoveOnMatch
from envoy_data_plane.envoy.config.core.v3 import (
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
    KeepaliveSettings,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpConnectionManagerServerHeaderTransformation,
    Rds,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from mesh.resources import filters, formats, limits, replies, routes
from mesh.resources.clusters import key_server_name
from mesh.resources.endpoints import socket_address
from mesh.resources.resource import CLUSTER, LISTENER, ROUTES, Resource, over_ads, packed, resource
from mesh.topology import EDGE, Topology

NAME = "edge"
CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
# What only the edge itself may say to a service.
OWN_HEADER_PREFIXES = ("x-user-", "x-mesh-")
OWN_HEADERS = ("x-forwarded-client-cert",)

BUFFER_BYTES_MAX = 32 * 1024
STREAMS_PER_CONNECTION_MAX = 100
# A stream on which nobody says anything may be open for an hour: whether somebody is still there, pings tell.
PING_INTERVAL = timedelta(seconds=60)
PONG_TIMEOUT = timedelta(seconds=20)


def edge(topology: Topology) -> Resource:
    """The public listener."""
    keys = [(CLUSTER, key_server_name(issuer)) for issuer in topology.issuers if issuer.jwks_uri is not None]
    listener = Listener(
        name=NAME,
        address=socket_address(topology.edge_listen),
        per_connection_buffer_limit_bytes=BUFFER_BYTES_MAX,
        filter_chains=[
            FilterChain(filters=[Filter(name=CONNECTION_MANAGER, typed_config=packed(connection_manager(topology)))])
        ],
    )
    return resource(LISTENER, NAME, listener, needs=[(ROUTES, routes.NAME), (CLUSTER, EDGE), *keys])


def connection_manager(topology: Topology) -> HttpConnectionManager:
    """Envoy's recommendations for an edge, with every limit said."""
    return HttpConnectionManager(
        stat_prefix="edge",
        rds=Rds(config_source=over_ads(), route_config_name=routes.NAME),
        http_filters=filters.chain(topology),
        access_log=[formats.access_log()],
        local_reply_config=replies.local_replies(topology),
        # The caller's address is the connection's; nothing that a client says about it is believed.
        use_remote_address=True,
        xff_num_trusted_hops=0,
        early_header_mutation_extensions=[_stripped_headers()],
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST,
        strip_any_host_port=True,
        preserve_external_request_id=False,
        always_set_request_id_in_response=True,
        server_header_transformation=HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        max_request_headers_kb=limits.HEADERS_KIB_MAX,
        request_headers_timeout=timedelta(seconds=5),
        request_timeout=timedelta(seconds=30),
        stream_idle_timeout=timedelta(seconds=300),
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=timedelta(seconds=300),
            max_headers_count=limits.HEADERS_MAX,
            headers_with_underscores_action=HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST,
        ),
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=STREAMS_PER_CONNECTION_MAX,
            initial_stream_window_size=64 * 1024,
            initial_connection_window_size=1024 * 1024,
            connection_keepalive=KeepaliveSettings(interval=PING_INTERVAL, timeout=PONG_TIMEOUT),
        ),
    )


def _stripped_headers() -> TypedExtensionConfig:
    """Drops, before routing and any filter, what a client must not say."""
    by_prefix = [
        HeaderMutation(remove_on_match=HeaderMutationRemoveOnMatch(key_matcher=StringMatcher(prefix=prefix)))
        for prefix in OWN_HEADER_PREFIXES
    ]
    by_name = [HeaderMutation(remove=name) for name in OWN_HEADERS]
    return TypedExtensionConfig(
        name="envoy.http.early_header_mutation.header_mutation",
        typed_config=packed(EarlyHeaderMutation(mutations=[*by_prefix, *by_name])),
    )
