"""A resource as the layers above see it: named, serialised, and with what it cannot do without."""

from collections.abc import Iterable
from dataclasses import dataclass

import betterproto2
from envoy_data_plane.envoy.config.core.v3 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy_data_plane.google.protobuf import Any

_PREFIX = "type.googleapis.com/envoy.config"

CLUSTER = f"{_PREFIX}.cluster.v3.Cluster"
ENDPOINTS = f"{_PREFIX}.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{_PREFIX}.listener.v3.Listener"
ROUTES = f"{_PREFIX}.route.v3.RouteConfiguration"


@dataclass(frozen=True)
class Resource:
    """One resource. `needs` are (type URL, name) of others that must be served with it."""

    type_url: str
    name: str
    value: bytes
    needs: frozenset[tuple[str, str]] = frozenset()


def resource(
    type_url: str, name: str, message: betterproto2.Message, needs: Iterable[tuple[str, str]] = ()
) -> Resource:
    """The resource of a message."""
    return Resource(type_url, name, bytes(message), frozenset(needs))


def packed(message: betterproto2.Message) -> Any:
    """The message as the `typed_config` of an extension."""
    return Any.pack(message)


def over_ads() -> ConfigSource:
    """Says that a resource comes over the same stream as the one that names it."""
    return ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)
