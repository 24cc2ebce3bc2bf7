"""The edge's HTTP filters. The order is a rule of its own; each line says why it stands where it does."""

import betterproto2
from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation as Mutation
from envoy_data_plane.envoy.config.core.v3 import HeaderValue, HeaderValueOption, HeaderValueOptionHeaderAppendAction
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import Cors
from envoy_data_plane.envoy.extensions.filters.http.grpc_stats.v3 import FilterConfig as GrpcStats
from envoy_data_plane.envoy.extensions.filters.http.grpc_web.v3 import GrpcWeb
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import HeaderMutation, Mutations
from envoy_data_plane.envoy.extensions.filters.http.health_check.v3 import HealthCheck
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import Percent

from mesh.resources import access, admission, cors, event_ids, limits, tokens, transcoder
from mesh.resources.resource import packed
from mesh.topology import Topology

HEALTH_PATH = "/healthz"


def chain(topology: Topology) -> list[HttpFilter]:
    """Outermost first."""
    return [
        # Every answer passes here on its way out, also those that the filters below make.
        _filter("envoy.filters.http.header_mutation", _response_headers()),
        # A load balancer has no token and is not counted.
        _filter("envoy.filters.http.health_check", _health(topology)),
        # A preflight carries no token either.
        _filter(cors.FILTER, Cors()),
        # From here on grpc-web is gRPC.
        _filter("envoy.filters.http.grpc_web", GrpcWeb()),
        # The cheapest refusal first.
        *(
            HttpFilter(name=name, typed_config=limits.body_size(bytes_max), disabled=name != limits.BODY_FILTER)
            for bytes_max, name in limits.BODY_FILTERS.items()
        ),
        # Who calls, before anything is decided by it.
        _filter(tokens.FILTER, tokens.authentication(topology.issuers)),
        _filter(access.FILTER, access.unrestricted()),
        # Counts verified users, and before admission, which costs a call.
        _filter(limits.RATE_FILTER, limits.rates(topology.methods)),
        HttpFilter(name=admission.FILTER, typed_config=packed(admission.authorization()), disabled=True),
        # What the transcoder makes of a stream, with a number before every event.
        HttpFilter(name=event_ids.FILTER, typed_config=packed(event_ids.numbering()), disabled=True),
        _filter(transcoder.FILTER, transcoder.transcoder(topology)),
        # Sees REST calls as the RPCs that they have become.
        _filter("envoy.filters.http.grpc_stats", GrpcStats(stats_for_all_methods=True, enable_upstream_stats=True)),
        _filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
    ]


def _filter(name: str, config: betterproto2.Message) -> HttpFilter:
    return HttpFilter(name=name, typed_config=packed(config))


def _health(topology: Topology) -> HealthCheck:
    """Answers 200 while every service, and admission, has a healthy endpoint."""
    path = HeaderMatcher(name=":path", string_match=StringMatcher(exact=HEALTH_PATH))
    return HealthCheck(
        pass_through_mode=False,
        headers=[path],
        cluster_min_healthy_percentages={name: Percent(value=1) for name in topology.clusters},
    )


def _response_headers() -> HeaderMutation:
    nosniff = HeaderValueOption(
        header=HeaderValue(key="x-content-type-options", value="nosniff"),
        append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    removed = [Mutation(remove=name) for name in ("server", "x-envoy-upstream-healthchecked-cluster")]
    return HeaderMutation(mutations=Mutations(response_mutations=[*removed, Mutation(append=nosniff)]))
