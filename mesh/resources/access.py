"""What only operators may call."""

from envoy_data_plane.envoy.config.rbac.v3 import Permission, Policy, Principal
from envoy_data_plane.envoy.config.rbac.v3 import Rbac as Rules
from envoy_data_plane.envoy.config.rbac.v3 import RbacAction as Action
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.filters.http.rbac.v3 import Rbac, RbacPerRoute
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from mesh.resources.tokens import ROLE_HEADER
from runtime.context import Role

FILTER = "envoy.filters.http.rbac"


def unrestricted() -> Rbac:
    """The filter, which refuses nothing where a route does not say so."""
    return Rbac()


def operators_only() -> RbacPerRoute:
    """Lets only a caller through whose verified token has the operator's role."""
    operator = Principal(header=HeaderMatcher(name=ROLE_HEADER, string_match=StringMatcher(exact=Role.OPERATOR.value)))
    policy = Policy(permissions=[Permission(any=True)], principals=[operator])
    return RbacPerRoute(rbac=Rbac(rules=Rules(action=Action.ALLOW, policies={"operators": policy})))
