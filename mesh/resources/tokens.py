"""Tokens: Envoy verifies them and writes who they speak for into headers that nobody else can set."""

from collections.abc import Iterable
from datetime import timedelta

from envoy_data_plane.envoy.config.core.v3 import BackoffStrategy, DataSource, HttpUri, RetryPolicy
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import (
    JwksAsyncFetch,
    JwtAuthentication,
    JwtClaimToHeader,
    JwtHeader,
    JwtProvider,
    JwtRequirement,
    JwtRequirementOrList,
    PerRouteConfig,
    RemoteJwks,
)
from envoy_data_plane.google.protobuf import Empty

from mesh.resources.clusters import key_server_name
from mesh.topology import Issuer

FILTER = "envoy.filters.http.jwt_authn"
# The key under the filter's metadata where the claims are kept for the filters after it.
CLAIMS = "jwt"
# Requirements by name. A token that is sent must be valid for either.
ANYONE = "anyone"
PERSON = "person"

USER_HEADER = "x-user-id"
ROLE_HEADER = "x-user-role"
EMAIL_HEADER = "x-user-email"

LIFETIME_MAX = timedelta(days=31)
CLOCK_SKEW_SECONDS = 30
KEYS_TIMEOUT = timedelta(seconds=2)
KEYS_CACHE = timedelta(minutes=5)


def authentication(issuers: Iterable[Issuer]) -> JwtAuthentication:
    """The filter. Without a route's requirement it lets everything through: routes name one each."""
    providers = {issuer.name: provider(issuer) for issuer in issuers}
    one_of = [JwtRequirement(provider_name=name) for name in providers]
    return JwtAuthentication(
        providers=providers,
        requirement_map={
            ANYONE: _any([*one_of, JwtRequirement(allow_missing=Empty())]),
            PERSON: _any(one_of),
        },
        bypass_cors_preflight=True,
    )


def requirement(name: str) -> PerRouteConfig:
    """What a route asks."""
    return PerRouteConfig(requirement_name=name)


def unlooked() -> PerRouteConfig:
    """For a route whose callers have other proofs."""
    return PerRouteConfig(disabled=True)


def provider(issuer: Issuer) -> JwtProvider:
    """One issuer's tokens: from the Authorization header alone, never from a query or a cookie."""
    return JwtProvider(
        issuer=issuer.issuer,
        audiences=[issuer.audience],
        require_expiration=True,
        max_lifetime=LIFETIME_MAX,
        clock_skew_seconds=CLOCK_SKEW_SECONDS,
        forward=False,
        from_headers=[JwtHeader(name="Authorization", value_prefix="Bearer ")],
        payload_in_metadata=CLAIMS,
        claim_to_headers=[
            JwtClaimToHeader(header_name=USER_HEADER, claim_name="sub"),
            JwtClaimToHeader(header_name=ROLE_HEADER, claim_name=issuer.role_claim),
            JwtClaimToHeader(header_name=EMAIL_HEADER, claim_name="email"),
        ],
        local_jwks=None if issuer.jwks is None else DataSource(inline_string=issuer.jwks),
        remote_jwks=None if issuer.jwks_uri is None else _remote(issuer, issuer.jwks_uri),
    )


def _remote(issuer: Issuer, uri: str) -> RemoteJwks:
    back_off = BackoffStrategy(base_interval=timedelta(milliseconds=100), max_interval=timedelta(seconds=1))
    return RemoteJwks(
        http_uri=HttpUri(uri=uri, cluster=key_server_name(issuer), timeout=KEYS_TIMEOUT),
        cache_duration=KEYS_CACHE,
        # The edge serves public methods while an issuer cannot be reached.
        async_fetch=JwksAsyncFetch(fast_listener=True, failed_refetch_duration=timedelta(seconds=1)),
        retry_policy=RetryPolicy(num_retries=3, retry_back_off=back_off),
    )


def _any(requirements: list[JwtRequirement]) -> JwtRequirement:
    # Envoy refuses a list of one.
    if len(requirements) == 1:
        return requirements[0]
    return JwtRequirement(requires_any=JwtRequirementOrList(requirements=requirements))
