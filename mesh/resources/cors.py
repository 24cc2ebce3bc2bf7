"""Which web origins may read answers. Envoy blocks no foreign origin: it withholds the headers that browsers want."""

from collections.abc import Iterable

from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import CorsPolicy
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

FILTER = "envoy.filters.http.cors"
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = (
    "authorization, content-type, x-grpc-web, x-user-agent, grpc-timeout, idempotency-key, traceparent, last-event-id"
)
RESPONSE_HEADERS = (
    "grpc-status, grpc-message, grpc-status-details-bin, x-request-id, "
    "x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"
)
MAX_AGE_SECONDS = "600"


def policy(origins: Iterable[str]) -> CorsPolicy:
    """The policy for exactly these origins."""
    return CorsPolicy(
        allow_origin_string_match=[StringMatcher(exact=origin) for origin in origins],
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=RESPONSE_HEADERS,
        max_age=MAX_AGE_SECONDS,
        forward_not_matching_preflights=False,
    )
