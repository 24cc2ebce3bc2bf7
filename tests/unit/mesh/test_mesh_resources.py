"""What Envoy and gRPC clients are told, decoded from what goes over the wire."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from envoy_data_plane.envoy.config.cluster.v3 import Cluster
from envoy_data_plane.envoy.config.core.v3 import KeepaliveSettings
from envoy_data_plane.envoy.config.endpoint.v3 import ClusterLoadAssignment
from envoy_data_plane.envoy.config.route.v3 import Route, RouteConfiguration
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import PerRouteConfig

from mesh import resources
from mesh.resources import CLUSTER, ENDPOINTS, ROUTES, event_ids, filters, formats, limits, listeners, tokens
from mesh.topology import Issuer, Topology
from runtime.contract import Audience, Method

SEND = "/scenemesh.chat.v1.ChatService/SendMessage"
NUMBERED = {f"/scenemesh.chat.v1.ChatService/{name}Message" for name in ("Send", "Regenerate", "Rewrite", "Watch")}
LONG = {"/scenemesh.chat.v1.ChatService/UpdateMessage"}
SUGGEST = "/scenemesh.search.v1.SearchService/Suggest"
UPLOADS = {
    "/scenemesh.chat.v1.ArchiveService/ImportConversations",
    "/scenemesh.chat.v1.MediaService/CreateMedia",
}


@pytest.fixture(scope="module")
def edge_routes(topology: Topology) -> list[Route]:
    (table,) = [one for one in resources.for_edge(topology) if one.type_url == ROUTES]
    return RouteConfiguration.parse(table.value).virtual_hosts[0].routes


def test_every_external_method_has_a_route_for_grpc_and_for_each_binding(
    topology: Topology, edge_routes: list[Route]
) -> None:
    expected = {method.path: 1 + len(method.bindings) for method in topology.methods if method.external}
    names = [route.name for route in edge_routes if route.name.startswith("/scenemesh.")]
    assert {name: names.count(name) for name in names} == expected


def test_an_internal_method_has_no_route(topology: Topology, edge_routes: list[Route]) -> None:
    internal = {method.path for method in topology.methods if not method.external}
    assert internal
    assert not internal & {route.name for route in edge_routes}


def test_a_routes_filters_follow_from_the_policy(topology: Topology, edge_routes: list[Route]) -> None:
    by_name = {method.path: method for method in topology.methods}
    told = {route.name: set(route.typed_per_filter_config) for route in edge_routes if route.name in by_name}
    assert told == {name: _filters(by_name[name]) for name in told}


def _filters(method: Method) -> set[str]:
    operator = {"envoy.filters.http.rbac"} if method.policy.audience is Audience.OPERATOR else set()
    metered = {"envoy.filters.http.ext_authz"} if method.policy.meter else set()
    unbounded = {"envoy.filters.http.body_size_limit"} if method.request_streaming else set()
    webhook = {"envoy.filters.http.body_size_limit", "webhook_body_size_limit"}
    received = webhook if method.policy.audience is Audience.WEBHOOK else set()
    uploads = {"envoy.filters.http.body_size_limit", "upload_body_size_limit"} if method.path in UPLOADS else set()
    long = {"envoy.filters.http.body_size_limit", "long_body_size_limit"} if method.path in LONG else set()
    numbered = {"envoy.filters.http.lua"} if method.path in NUMBERED else set()
    return {"envoy.filters.http.jwt_authn", *operator, *metered, *unbounded, *received, *uploads, *long, *numbered}


def test_tokens_are_looked_at_on_every_route_but_the_webhooks(topology: Topology, edge_routes: list[Route]) -> None:
    unlooked = {
        route.name
        for route in edge_routes
        if tokens.FILTER in route.typed_per_filter_config
        and PerRouteConfig.parse(route.typed_per_filter_config[tokens.FILTER].value).disabled
    }
    assert unlooked == {method.path for method in topology.methods if method.policy.audience is Audience.WEBHOOK}
    assert len(unlooked) == 4


def test_a_size_limit_stands_in_the_chain_for_everybody_and_others_for_some_alone(topology: Topology) -> None:
    chain = {one.name: one for one in filters.chain(topology)}
    names = (limits.BODY_FILTER, limits.WEBHOOK_BODY_FILTER, limits.UPLOAD_BODY_FILTER, limits.LONG_BODY_FILTER)
    assert [chain[name].disabled for name in names] == [False, True, True, True]


def test_what_carries_a_file_has_a_limit_of_its_own(edge_routes: list[Route]) -> None:
    larger = {route.name for route in edge_routes if limits.UPLOAD_BODY_FILTER in route.typed_per_filter_config}
    assert larger == UPLOADS


def test_what_carries_a_long_text_has_a_limit_of_its_own(edge_routes: list[Route]) -> None:
    larger = {route.name for route in edge_routes if limits.LONG_BODY_FILTER in route.typed_per_filter_config}
    assert larger == LONG


def test_events_of_answers_are_numbered_over_rest_alone(edge_routes: list[Route]) -> None:
    numbered = [(route.name, route.match and route.match.path) for route in edge_routes if _is_numbered(route)]
    assert (sorted(name for name, _ in numbered), {path for _, path in numbered}) == (sorted(NUMBERED), {None})


def _is_numbered(route: Route) -> bool:
    return event_ids.FILTER in route.typed_per_filter_config


def test_a_stream_is_bounded_by_its_policy_and_never_retried_once_it_is_not_idempotent(
    edge_routes: list[Route],
) -> None:
    action = next(route.route for route in edge_routes if route.name == SEND)
    assert action is not None
    assert action.max_stream_duration is not None
    assert (
        action.timeout,
        action.max_stream_duration.max_stream_duration,
        action.idle_timeout,
        action.retry_policy,
    ) == (
        timedelta(0),
        timedelta(seconds=300.5),
        timedelta(seconds=60),
        None,
    )


def test_whether_a_caller_is_still_there_is_asked_by_pings(topology: Topology) -> None:
    http2 = listeners.connection_manager(topology).http2_protocol_options
    assert http2 is not None
    assert http2.connection_keepalive == KeepaliveSettings(
        interval=timedelta(seconds=60), timeout=timedelta(seconds=20)
    )


def test_a_unary_call_ends_a_little_after_its_deadline_and_is_retried_if_it_may_be(edge_routes: list[Route]) -> None:
    action = next(route.route for route in edge_routes if route.name == SUGGEST)
    assert action is not None
    assert action.retry_policy is not None
    assert (action.timeout, action.retry_policy.num_retries) == (timedelta(seconds=2.5), 2)


def test_a_route_is_marked_where_its_calls_are_counted(topology: Topology) -> None:
    marked = {method.path for method in topology.methods if limits.metadata(method) is not None}
    assert marked == {method.path for method in topology.methods if method.policy.rate_limit is not None}


def test_siblings_retry_what_may_run_twice_and_set_their_own_deadlines(topology: Topology) -> None:
    tables = [RouteConfiguration.parse(one.value) for one in resources.for_siblings(topology) if one.type_url == ROUTES]
    told: dict[str | None, Any] = {
        route.match.path: route.route for table in tables for route in table.virtual_hosts[0].routes if route.match
    }
    retried = {method.path: method.idempotent for method in topology.methods}
    assert {path: told[path].retry_policy is not None for path in retried} == retried
    assert [path for path in told if told[path].max_stream_duration is not None] == []


def test_a_load_assignment_says_who_is_there_and_how_much_it_weighs(topology: Topology) -> None:
    (chat,) = [one for one in resources.for_edge(topology) if (one.type_url, one.name) == (ENDPOINTS, "chat")]
    (locality,) = ClusterLoadAssignment.parse(chat.value).endpoints
    members: list[Any] = locality.lb_endpoints
    addresses = [member.endpoint.address.socket_address for member in members]
    assert (locality.load_balancing_weight, [(one.address, one.port_value) for one in addresses]) == (
        1,
        [("127.0.0.1", 4001), ("127.0.0.1", 4002)],
    )


def test_every_cluster_of_the_mesh_is_there_for_both_audiences(topology: Topology) -> None:
    for members in (resources.for_edge(topology), resources.for_siblings(topology)):
        assert {one.name for one in members if one.type_url == CLUSTER} == set(topology.clusters)


def test_keys_that_are_fetched_come_over_tls_from_a_cluster_of_their_own(topology: Topology, issuer: Issuer) -> None:
    remote = replace(issuer, name="google", jwks=None, jwks_uri="https://keys.example:8443/certs")
    members = resources.for_edge(replace(topology, issuers=(issuer, remote)))
    cluster: Any
    (cluster,) = [Cluster.parse(one.value) for one in members if one.name == "keys-google"]
    address = cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    assert (address.address, address.port_value, cluster.transport_socket is not None) == ("keys.example", 8443, True)


def test_one_issuer_and_several_are_required_in_a_form_that_envoy_takes(issuer: Issuer) -> None:
    one: dict[str, Any] = tokens.authentication([issuer]).requirement_map
    two: dict[str, Any] = tokens.authentication([issuer, replace(issuer, name="other")]).requirement_map
    assert one[tokens.PERSON].provider_name == "local"
    assert [part.provider_name for part in two[tokens.PERSON].requires_any.requirements] == ["local", "other"]
    assert one[tokens.ANYONE].requires_any.requirements[-1].allow_missing is not None


def test_the_access_log_names_no_query_no_token_and_no_signature() -> None:
    written = " ".join(formats.ACCESS_LOG.values()).lower()
    assert "%path(nq)%" in written
    assert not [word for word in ("authorization", "cookie", "sign", "body", "req(:path)") if word in written]
