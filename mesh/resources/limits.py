"""Limits that the edge keeps by itself: calls per user and window, and the size of a request."""

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any as _Any

from envoy_data_plane.envoy.config.core.v3 import Metadata, RuntimeFractionalPercent
from envoy_data_plane.envoy.config.route.v3 import FilterConfig, HeaderMatcher, RateLimitAction
from envoy_data_plane.envoy.config.route.v3 import RateLimit as Descriptor
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimitActionHeaderValueMatch as HeaderValueMatch,
)
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimitActionMetaData as RouteMetadata,
)
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimitActionMetaDataSource as MetadataSource,
)
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimitActionRemoteAddress as RemoteAddress,
)
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimitActionRequestHeaders as RequestHeaders,
)
from envoy_data_plane.envoy.extensions.common.ratelimit.v3 import (
    LocalRateLimitDescriptor,
    RateLimitDescriptorEntry,
    XRateLimitHeadersRfcVersion,
)
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer
from envoy_data_plane.envoy.extensions.filters.http.local_ratelimit.v3 import LocalRateLimit
from envoy_data_plane.envoy.type.metadata.v3 import MetadataKey, MetadataKeyPathSegment
from envoy_data_plane.envoy.type.v3 import FractionalPercent, TokenBucket
from envoy_data_plane.google.protobuf import Any, Struct, Value
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor as MessageDescriptor
from google.protobuf.descriptor import FieldDescriptor

from buf.validate import validate_pb2
from mesh.resources.resource import packed
from mesh.resources.tokens import USER_HEADER
from runtime.contract import Audience, Method, RateLimit

RATE_FILTER = "envoy.filters.http.local_ratelimit"
BODY_FILTER = "envoy.filters.http.body_size_limit"
WEBHOOK_BODY_FILTER = "webhook_body_size_limit"
UPLOAD_BODY_FILTER = "upload_body_size_limit"
LONG_BODY_FILTER = "long_body_size_limit"

# A character is at most two escapes of six bytes in JSON.
CHARACTER_BYTES_MAX = 12
# The 8,000 characters that a person may say at once are 96 KB.
REQUEST_BYTES_MAX = 128 * 1024
# The 64,000 that the text of an answer may be changed to are 768 KB.
LONG_BYTES_MAX = 64_000 * CHARACTER_BYTES_MAX + REQUEST_BYTES_MAX
# What a provider sends may be a whole invoice with all of its lines.
WEBHOOK_BYTES_MAX = 1024 * 1024
# What a person sends of their own: the 3 MiB that the contract allows are 4 MiB in JSON.
UPLOAD_BYTES_MAX = 4 * 1024 * 1024 + REQUEST_BYTES_MAX
# All headers of a request together.
HEADERS_KIB_MAX = 32
HEADERS_MAX = 60
# The same filter for each limit: it takes none from a route.
BODY_FILTERS = {
    REQUEST_BYTES_MAX: BODY_FILTER,
    WEBHOOK_BYTES_MAX: WEBHOOK_BODY_FILTER,
    UPLOAD_BYTES_MAX: UPLOAD_BODY_FILTER,
    LONG_BYTES_MAX: LONG_BODY_FILTER,
}
# Users (and anonymous addresses) that the edge counts at once for each method; the one seen longest ago is forgotten.
USERS_MAX = 10_000
# The whole edge's own limit: what one process could never reach.
EDGE_REQUESTS_PER_SECOND_MAX = 1_000_000

# Typed as what it is: the library's stubs call every extension a plain field descriptor.
RULES: _Any = validate_pb2.field

NAMESPACE = "scenemesh"
RPC, USER, ANONYMOUS, ADDRESS = "rpc", "user", "anonymous", "remote_address"


def rates(methods: Iterable[Method]) -> LocalRateLimit:
    """The filter with a bucket for every limited method and user, shared by its gRPC and REST routes."""
    descriptors: list[LocalRateLimitDescriptor] = []
    for method in methods:
        if method.external and method.policy.rate_limit is not None:
            descriptors += _buckets(method, method.policy.rate_limit)
    always = RuntimeFractionalPercent(default_value=FractionalPercent(numerator=100))
    return LocalRateLimit(
        stat_prefix="edge",
        token_bucket=_bucket(RateLimit(EDGE_REQUESTS_PER_SECOND_MAX, timedelta(seconds=1))),
        rate_limits=_counted(),
        descriptors=descriptors,
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=USERS_MAX,
        filter_enabled=always,
        filter_enforced=always,
        rate_limited_as_resource_exhausted=True,
        # What is left of the limit stands in every answer that is counted.
        enable_x_ratelimit_headers=XRateLimitHeadersRfcVersion.DRAFT_VERSION_03,
    )


def wait_seconds(limit: RateLimit) -> int:
    """How long who has made all calls of a limit waits for one more: buckets are filled all the time."""
    return math.ceil(limit.per / timedelta(seconds=1) / limit.requests)


def metadata(method: Method) -> Metadata | None:
    """Marks a route as one whose calls are counted, and under which name."""
    if method.policy.rate_limit is None:
        return None
    return Metadata(filter_metadata={NAMESPACE: Struct(fields={RPC: Value(string_value=method.path)})})


def body_size(bytes_max: int) -> Any:
    """The filter that ends larger requests with 413."""
    # The message is newer than envoy_data_plane; Buffer has the same single field on the wire.
    return Any(
        type_url="type.googleapis.com/envoy.extensions.filters.http.body_size_limit.v3.BodySizeLimit",
        value=bytes(Buffer(max_request_bytes=bytes_max)),
    )


def size(method: Method) -> Iterator[tuple[str, Any]]:
    """For a route whose requests may have another size than everybody's."""
    # A stream is no large request: each of its messages has a limit of its own.
    bytes_max = None if method.request_streaming else request_bytes_max(method)
    if bytes_max == REQUEST_BYTES_MAX:
        return
    yield BODY_FILTER, packed(FilterConfig(disabled=True))
    if bytes_max is not None:
        # A filter that stands disabled in the chain is enabled by a configuration, were it an empty one.
        yield BODY_FILTERS[bytes_max], packed(FilterConfig(config=Any()))


def request_bytes_max(method: Method) -> int:
    """How large a request of a method may be."""
    if method.policy.audience is Audience.WEBHOOK:
        return WEBHOOK_BYTES_MAX
    if is_upload(method):
        return UPLOAD_BYTES_MAX
    return LONG_BYTES_MAX if is_long(method) else REQUEST_BYTES_MAX


def is_upload(method: Method) -> bool:
    """Whether a method's request carries a file."""
    return any(field.type == FieldDescriptor.TYPE_BYTES for field in method.descriptor.input_type.fields)


def is_long(method: Method) -> bool:
    """Whether a method's request, or the resource in it, has a text that everybody's limit has no room for."""
    request = method.descriptor.input_type
    carried = [field.message_type for field in request.fields if field.message_type is not None]
    return any(_characters_max(one) * CHARACTER_BYTES_MAX > REQUEST_BYTES_MAX for one in (request, *carried))


def _characters_max(message: MessageDescriptor) -> int:
    """What the longest text of a message may have, by the contract."""
    options = (descriptor_pb2.FieldOptions.FromString(one.GetOptions().SerializeToString()) for one in message.fields)
    return max((one.Extensions[RULES].string.max_len for one in options), default=0)


def _counted() -> list[Descriptor]:
    """Who is counted: the user, or the address of a caller without a token. Nobody where the route has no mark."""
    key = MetadataKey(key=NAMESPACE, path=[MetadataKeyPathSegment(key=RPC)])
    rpc = RateLimitAction(
        metadata=RouteMetadata(
            descriptor_key=RPC, metadata_key=key, source=MetadataSource.ROUTE_ENTRY, skip_if_absent=False
        )
    )
    user = RateLimitAction(request_headers=RequestHeaders(header_name=USER_HEADER, descriptor_key=USER))
    no_user = HeaderMatcher(name=USER_HEADER, present_match=True, invert_match=True)
    anonymous = RateLimitAction(
        header_value_match=HeaderValueMatch(descriptor_key=ANONYMOUS, descriptor_value="true", headers=[no_user])
    )
    address = RateLimitAction(remote_address=RemoteAddress())
    return [Descriptor(actions=[rpc, user]), Descriptor(actions=[rpc, anonymous, address])]


def _buckets(method: Method, limit: RateLimit) -> list[LocalRateLimitDescriptor]:
    rpc = RateLimitDescriptorEntry(key=RPC, value=method.path)
    # An entry without a value stands for every value: a bucket each.
    by_user = [rpc, RateLimitDescriptorEntry(key=USER)]
    by_address = [rpc, RateLimitDescriptorEntry(key=ANONYMOUS, value="true"), RateLimitDescriptorEntry(key=ADDRESS)]
    return [LocalRateLimitDescriptor(entries=entries, token_bucket=_bucket(limit)) for entries in (by_user, by_address)]


def _bucket(limit: RateLimit) -> TokenBucket:
    return TokenBucket(max_tokens=limit.requests, tokens_per_fill=limit.requests, fill_interval=limit.per)
