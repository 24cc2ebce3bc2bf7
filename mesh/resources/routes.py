"""The edge's routes: one for every external RPC's gRPC path, one for each of its REST bindings, nothing else.

Everything a route does comes from the RPC's policy. An internal RPC has no route, so from outside it does not exist.
"""

from collections.abc import Iterator
from datetime import timedelta

from envoy_data_plane.envoy.config.route.v3 import (
    HeaderMatcher,
    RetryPolicy,
    RetryPolicyRetryBackOff,
    RetryPolicyRetryHostPredicate,
    Route,
    RouteAction,
    RouteActionMaxStreamDuration,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher
from envoy_data_plane.google.protobuf import Any

from mesh.resources import access, admission, cors, event_ids, limits, templates, tokens
from mesh.resources.resource import CLUSTER, ROUTES, Resource, packed, resource
from mesh.topology import EDGE, Topology
from runtime.contract import Audience, Binding, Method

NAME = "edge"
NO_TIMEOUT = timedelta(0)
# A service ends its own call at the deadline; the edge waits a little longer, so that the caller hears the service's
# own words about it, and the service is done with the call.
GRACE = timedelta(milliseconds=500)
REFLECTION_PREFIXES = ("/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/")
REFLECTION_DURATION = timedelta(seconds=60)


def edge(topology: Topology) -> Resource:
    """The edge's route table."""
    table = RouteConfiguration(name=NAME, virtual_hosts=[_virtual_host(topology)])
    return resource(ROUTES, NAME, table, needs=[(CLUSTER, name) for name in topology.clusters])


def _virtual_host(topology: Topology) -> VirtualHost:
    return VirtualHost(
        name=NAME,
        domains=["*"],
        routes=[*_grpc_routes(topology), *_rest_routes(topology), *_reflection_routes(), _preflight_route()],
        typed_per_filter_config={cors.FILTER: packed(cors.policy(topology.cors_origins))},
    )


def _external(topology: Topology) -> Iterator[Method]:
    return (method for cluster in topology.services for method in topology.methods_of(cluster) if method.external)


def _grpc_routes(topology: Topology) -> Iterator[Route]:
    """gRPC and grpc-web, which shares the content type's prefix."""
    for method in _external(topology):
        headers = [_exactly(":method", "POST"), _prefixed("content-type", "application/grpc")]
        yield _route(method, RouteMatch(path=method.path, headers=headers))


def _rest_routes(topology: Topology) -> Iterator[Route]:
    bound = [(binding, method) for method in _external(topology) for binding in method.bindings]
    bound.sort(key=lambda pair: (templates.specificity(pair[0].path), pair[0].path, pair[0].verb))
    for binding, method in bound:
        route = _route(method, _rest_match(binding))
        route.typed_per_filter_config |= dict(event_ids.numbered(method))
        yield route


def _rest_match(binding: Binding) -> RouteMatch:
    headers = [_exactly(":method", binding.verb)]
    if templates.is_literal(binding.path):
        return RouteMatch(path=binding.path, headers=headers)
    return RouteMatch(safe_regex=RegexMatcher(regex=templates.regex(binding.path)), headers=headers)


def _route(method: Method, match: RouteMatch) -> Route:
    return Route(
        name=method.path,
        match=match,
        route=_action(method),
        metadata=limits.metadata(method),
        typed_per_filter_config=dict(_filter_configs(method)),
    )


def _action(method: Method) -> RouteAction:
    deadline = method.policy.deadline + GRACE
    action = RouteAction(
        cluster=method.cluster,
        retry_policy=retries() if method.idempotent else None,
    )
    if method.response_streaming:
        action.timeout = NO_TIMEOUT
        action.max_stream_duration = RouteActionMaxStreamDuration(max_stream_duration=deadline)
        action.idle_timeout = method.policy.idle_timeout
    else:
        action.timeout = deadline
    return action


def retries() -> RetryPolicy:
    """Retries for calls that may run twice, only before an answer has begun, on another endpoint."""
    return RetryPolicy(
        retry_on="connect-failure,refused-stream,unavailable,reset-before-request",
        num_retries=2,
        retry_back_off=RetryPolicyRetryBackOff(
            base_interval=timedelta(milliseconds=25), max_interval=timedelta(milliseconds=250)
        ),
        retry_host_predicate=[
            RetryPolicyRetryHostPredicate(
                name="envoy.retry_host_predicates.previous_hosts", typed_config=packed(PreviousHostsPredicate())
            )
        ],
        host_selection_retry_max_attempts=3,
    )


def _filter_configs(method: Method) -> Iterator[tuple[str, Any]]:
    match method.policy.audience:
        case Audience.WEBHOOK:
            # What it sends as `authorization` may be its own, and no token.
            yield tokens.FILTER, packed(tokens.unlooked())
        case Audience.PUBLIC:
            yield tokens.FILTER, packed(tokens.requirement(tokens.ANYONE))
        case Audience.OPERATOR:
            yield tokens.FILTER, packed(tokens.requirement(tokens.PERSON))
            yield access.FILTER, packed(access.operators_only())
        case _:
            yield tokens.FILTER, packed(tokens.requirement(tokens.PERSON))
    yield from limits.size(method)
    if method.policy.meter:
        yield admission.FILTER, packed(admission.check(method))


def _reflection_routes() -> Iterator[Route]:
    for prefix in REFLECTION_PREFIXES:
        yield Route(
            name=prefix,
            match=RouteMatch(prefix=prefix, headers=[_prefixed("content-type", "application/grpc")]),
            route=RouteAction(
                cluster=EDGE,
                timeout=NO_TIMEOUT,
                max_stream_duration=RouteActionMaxStreamDuration(max_stream_duration=REFLECTION_DURATION),
            ),
            typed_per_filter_config=_for_operators(),
        )


def _preflight_route() -> Route:
    # The CORS filter answers every preflight itself, but finds its policy only where a route to a cluster matches.
    # Nothing comes past that filter here; if something did, it would be asked for an operator's token.
    headers = [_exactly(":method", "OPTIONS"), _present("origin"), _present("access-control-request-method")]
    return Route(
        name="preflight",
        match=RouteMatch(prefix="/", headers=headers),
        route=RouteAction(cluster=EDGE),
        typed_per_filter_config=_for_operators(),
    )


def _for_operators() -> dict[str, Any]:
    return {
        tokens.FILTER: packed(tokens.requirement(tokens.PERSON)),
        access.FILTER: packed(access.operators_only()),
    }


def _present(name: str) -> HeaderMatcher:
    return HeaderMatcher(name=name, present_match=True)


def _exactly(name: str, value: str) -> HeaderMatcher:
    return HeaderMatcher(name=name, string_match=StringMatcher(exact=value))


def _prefixed(name: str, prefix: str) -> HeaderMatcher:
    return HeaderMatcher(name=name, string_match=StringMatcher(prefix=prefix))
