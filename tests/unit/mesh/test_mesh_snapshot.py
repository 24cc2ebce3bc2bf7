from dataclasses import replace

import pytest

from mesh import snapshot
from mesh.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource
from mesh.topology import Address, Topology

CHAT = Resource(CLUSTER, "chat", b"1", frozenset({(ENDPOINTS, "chat")}))
CHAT_ENDPOINTS = Resource(ENDPOINTS, "chat", b"2")


def test_equal_content_has_equal_versions_in_any_order() -> None:
    assert snapshot.snapshot([CHAT, CHAT_ENDPOINTS]).versions == snapshot.snapshot([CHAT_ENDPOINTS, CHAT]).versions


def test_a_change_of_one_type_leaves_the_versions_of_others(topology: Topology) -> None:
    moved = replace(topology, endpoints={"chat": frozenset({Address("127.0.0.1", 4003)})})
    for build in (snapshot.for_edge, snapshot.for_siblings):
        before, after = build(topology), build(moved)
        assert {url for url in snapshot.ORDER if before.version(url) != after.version(url)} == {ENDPOINTS}


def test_content_cannot_move_between_names_and_keep_the_version() -> None:
    one = snapshot.snapshot([Resource(ENDPOINTS, "a", b"bc")])
    other = snapshot.snapshot([Resource(ENDPOINTS, "ab", b"c")])
    assert one.version(ENDPOINTS) != other.version(ENDPOINTS)


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ([CHAT], "Cluster chat needs ClusterLoadAssignment chat"),
        ([CHAT_ENDPOINTS, CHAT_ENDPOINTS], "ClusterLoadAssignment chat stands twice"),
        (
            [Resource(ROUTES, "edge", b"", frozenset({(CLUSTER, "gone")}))],
            "RouteConfiguration edge needs Cluster gone",
        ),
        (
            [Resource(LISTENER, "edge", b"", frozenset({(ROUTES, "edge")}))],
            "Listener edge needs RouteConfiguration edge",
        ),
    ],
)
def test_what_does_not_belong_together_is_not_served(members: list[Resource], fault: str) -> None:
    with pytest.raises(snapshot.Inconsistent) as caught:
        snapshot.snapshot(members)
    assert str(caught.value) == fault


def test_the_real_topology_is_consistent(topology: Topology) -> None:
    for build in (snapshot.for_edge, snapshot.for_siblings):
        assert all(build(topology).version(url) for url in snapshot.ORDER)
