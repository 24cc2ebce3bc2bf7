from mesh.registry import Picture, Registry, parsed
from mesh.topology import Address

ONE, TWO = Address("127.0.0.1", 4001), Address("127.0.0.1", 4002)
BOTH = {"chat": frozenset({ONE, TWO})}
FIRST = {"chat": frozenset({ONE})}


def test_leases_become_addresses_by_cluster() -> None:
    leases = [(b"mesh:endpoint:chat:1", b'{"address": "127.0.0.1:4001"}'), (b"mesh:endpoint:chat:2", None)]
    assert parsed(leases) == FIRST


def test_what_nobody_can_read_is_left_out() -> None:
    unreadable = [
        b"",
        b"[]",
        b"{}",
        b'{"address": 1}',
        b'{"address": "localhost:1"}',
        b'{"address": "127.0.0.1"}',
        b"\xff",
    ]
    assert parsed((b"mesh:endpoint:chat:1", value) for value in unreadable) == {}


def test_endpoints_follow_the_pictures() -> None:
    registry = Registry()
    registry.seen(Picture("a", BOTH), now=0)
    registry.seen(Picture("a", FIRST), now=1)
    assert registry.endpoints == FIRST


def test_after_a_loss_only_additions_are_believed_for_as_long_as_a_lease() -> None:
    registry = Registry()
    registry.seen(Picture("a", FIRST), now=0)
    registry.lost(now=1)
    assert registry.endpoints == FIRST
    registry.seen(Picture("a", {"chat": frozenset({TWO})}), now=4.9)
    assert registry.endpoints == BOTH
    registry.seen(Picture("a", {"chat": frozenset({TWO})}), now=5)
    assert registry.endpoints == {"chat": frozenset({TWO})}


def test_a_restart_of_the_registry_counts_as_a_loss() -> None:
    registry = Registry()
    registry.seen(Picture("a", FIRST), now=0)
    registry.seen(Picture("b", {}), now=1)
    assert registry.endpoints == FIRST
    registry.seen(Picture("b", {}), now=5)
    assert registry.endpoints == {}
