import pytest
from envoy.service.discovery.v3 import discovery_pb2

from mesh.cache import Group, Node, Request, Response
from mesh.resources import CLUSTER, Resource
from mesh.server import heard, node, said


@pytest.mark.parametrize(
    ("cluster", "agent", "group"),
    [
        ("edge", "envoy", Group.EDGE),
        ("edge", "gRPC C-core linux", Group.SIBLINGS),
        ("chat", "gRPC C-core linux", Group.SIBLINGS),
        ("chat", "envoy", Group.SIBLINGS),
    ],
)
def test_only_envoy_is_served_as_the_edge(cluster: str, agent: str, group: Group) -> None:
    request = discovery_pb2.DiscoveryRequest()
    request.node.id, request.node.cluster, request.node.user_agent_name = "n", cluster, agent
    assert node(request) == Node("n", group)


def test_a_refusal_is_known_by_its_error_even_without_words() -> None:
    request = discovery_pb2.DiscoveryRequest(type_url=CLUSTER, resource_names=["chat"], response_nonce="7")
    assert heard(request) == Request(CLUSTER, frozenset({"chat"}), "7")
    request.error_detail.code = 3
    assert heard(request) == Request(CLUSTER, frozenset({"chat"}), "7", "refused without a reason")
    request.error_detail.message = "no"
    assert heard(request).error == "no"


def test_a_response_carries_its_resources_as_they_are() -> None:
    message = said(Response(CLUSTER, "v", "1", (Resource(CLUSTER, "chat", b"\x0a\x04chat"),)))
    assert (message.version_info, message.nonce, message.type_url) == ("v", "1", CLUSTER)
    assert [(one.type_url, one.value) for one in message.resources] == [(CLUSTER, b"\x0a\x04chat")]
