import pytest
from google.protobuf import descriptor_pb2

from mesh.topology import Address, Topology, without_comments


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:80", Address("127.0.0.1", 80)), ("[::1]:0", Address("::1", 0)), ("chat:1", Address("chat", 1))],
)
def test_an_address_is_host_and_port(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", ["", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        Address.parse(text)


def test_every_package_of_the_contract_is_a_cluster_and_so_is_the_edge(topology: Topology) -> None:
    assert topology.services == ("billing", "chat", "quota", "search")
    assert topology.clusters == ("billing", "chat", "edge", "quota", "search")


def test_addresses_come_in_a_stable_order(topology: Topology) -> None:
    assert topology.addresses("chat") == [Address("127.0.0.1", 4001), Address("127.0.0.1", 4002)]
    assert topology.addresses("quota") == []


def test_comments_are_left_out_of_the_descriptor_set() -> None:
    files = descriptor_pb2.FileDescriptorSet()
    file = files.file.add(name="a.proto")
    bare = files.SerializeToString()
    file.source_code_info.location.add(leading_comments="for people")
    assert without_comments(files.SerializeToString()) == bare
