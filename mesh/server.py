"""ADS, state of the world: one stream a node, over which it gets everything that it follows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from mesh.cache import Cache, Group, Node, Request, Response, Subscription

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
ENVOY = "envoy"

Requests = AsyncIterator[discovery_pb2.DiscoveryRequest]


class Discovery(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc] # the package has no types
    """Translates between a stream and its subscription; decides nothing."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def register(self, server: grpc.aio.Server) -> None:
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, server)

    async def StreamAggregatedResources(
        self, requests: Requests, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[discovery_pb2.DiscoveryResponse]:
        # Only a stream's first request says who the node is.
        first = await anext(requests, None)
        if first is None:
            return
        with self._cache.subscribe(node(first)) as subscription:
            subscription.hear(heard(first))
            reader = asyncio.create_task(_read(requests, subscription))
            try:
                while not reader.done():
                    for response in subscription.responses():
                        yield said(response)
                    await _changed(subscription, reader)
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader


async def _read(requests: Requests, subscription: Subscription) -> None:
    async for request in requests:
        subscription.hear(heard(request))


async def _changed(subscription: Subscription, reader: asyncio.Task[None]) -> None:
    """Waits until there may be something to send, or the node has ended the stream."""
    changed = asyncio.create_task(subscription.changed.wait())
    try:
        await asyncio.wait({changed, reader}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        changed.cancel()


def node(request: discovery_pb2.DiscoveryRequest) -> Node:
    """Who asks. The edge process is called `edge` too: only Envoy itself gets what is meant for Envoy."""
    is_edge = request.node.cluster == Group.EDGE.value and request.node.user_agent_name == ENVOY
    return Node(request.node.id, Group.EDGE if is_edge else Group.SIBLINGS)


def heard(request: discovery_pb2.DiscoveryRequest) -> Request:
    """The request as the cache knows it."""
    error = ""
    if request.HasField("error_detail"):
        error = request.error_detail.message or "refused without a reason"
    return Request(request.type_url, frozenset(request.resource_names), request.response_nonce, error)


def said(response: Response) -> discovery_pb2.DiscoveryResponse:
    """The response as it goes over the wire."""
    message = discovery_pb2.DiscoveryResponse(
        version_info=response.version, type_url=response.type_url, nonce=response.nonce
    )
    for resource in response.resources:
        message.resources.add(type_url=resource.type_url, value=resource.value)
    return message
