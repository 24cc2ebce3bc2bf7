"""Admission: before a call that costs something, the edge process is asked whether its meter has credit left."""

from datetime import timedelta

from envoy_data_plane.envoy.config.core.v3 import ApiVersion, GrpcService, GrpcServiceEnvoyGrpc, HeaderValue
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import CheckSettings, ExtAuthz, ExtAuthzPerRoute
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode

from mesh.resources import tokens
from mesh.topology import EDGE
from runtime.contract import Method

FILTER = "envoy.filters.http.ext_authz"
# A late answer is worth more to a person than a refusal; an edge that is gone is noticed at once.
TIMEOUT = timedelta(seconds=3)


def authorization() -> ExtAuthz:
    """The filter; it refuses with 503 when admission does not answer."""
    return ExtAuthz(
        grpc_service=GrpcService(
            envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=EDGE),
            timeout=TIMEOUT,
            # A refusal quotes the id of the request that it refuses.
            initial_metadata=[HeaderValue(key="x-request-id", value="%REQ(X-REQUEST-ID)%")],
        ),
        transport_api_version=ApiVersion.V3,
        failure_mode_allow=False,
        status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
        validate_mutations=True,
        metadata_context_namespaces=[tokens.FILTER],
        clear_route_cache=False,
    )


def check(method: Method) -> ExtAuthzPerRoute:
    """Switches the check on for a method and says what it is about."""
    return ExtAuthzPerRoute(
        check_settings=CheckSettings(context_extensions={"meter": method.policy.meter, "rpc": method.path})
    )
