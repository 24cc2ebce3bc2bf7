"""The protocol's rules, without a stream."""

from collections.abc import Iterator

import pytest

from mesh.cache import Cache, Group, Node, Request, Subscription, Verdict
from mesh.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resource
from mesh.snapshot import ORDER, Snapshot, snapshot

NODE = Node("edge-1", Group.EDGE)


def version(number: int, *, clusters: int = 1) -> Snapshot:
    """A snapshot whose clusters and endpoints differ by number."""
    return snapshot(
        [
            Resource(CLUSTER, "chat", bytes([clusters])),
            *(Resource(ENDPOINTS, name, bytes([number])) for name in ("chat", "quota")),
            Resource(LISTENER, "edge", b""),
            Resource(ROUTES, "edge", b""),
        ]
    )


@pytest.fixture
def cache() -> Cache:
    cache = Cache()
    cache.publish(Group.EDGE, version(1))
    return cache


@pytest.fixture
def subscription(cache: Cache) -> Iterator[Subscription]:
    with cache.subscribe(NODE) as subscription:
        yield subscription


def sent(subscription: Subscription) -> dict[str, list[str]]:
    """The types and names of what is sent next, in order."""
    return {one.type_url: [member.name for member in one.resources] for one in subscription.responses()}


def settled(subscription: Subscription) -> None:
    """Follows every type, and accepts what comes."""
    for type_url in ORDER:
        subscription.hear(Request(type_url))
    for response in list(subscription.responses()):
        subscription.hear(Request(response.type_url, nonce=response.nonce))
    assert sent(subscription) == {}


def test_nothing_is_sent_before_it_is_asked_for(subscription: Subscription) -> None:
    assert sent(subscription) == {}


def test_types_are_sent_so_that_nothing_names_what_is_not_known_yet(subscription: Subscription) -> None:
    for type_url in (ROUTES, LISTENER, ENDPOINTS, CLUSTER):
        subscription.hear(Request(type_url))
    assert list(sent(subscription)) == [CLUSTER, ENDPOINTS, LISTENER, ROUTES]


def test_only_the_names_asked_for_are_sent_and_what_does_not_exist_is_left_out(subscription: Subscription) -> None:
    subscription.hear(Request(ENDPOINTS, frozenset({"quota", "nobody"})))
    assert sent(subscription) == {ENDPOINTS: ["quota"]}


def test_an_acknowledgement_is_not_answered(subscription: Subscription, cache: Cache) -> None:
    settled(subscription)
    assert cache.verdict("edge-1", CLUSTER) == Verdict(version(1).version(CLUSTER))


def test_more_names_are_answered_at_once(subscription: Subscription) -> None:
    subscription.hear(Request(ENDPOINTS, frozenset({"chat"})))
    (first,) = subscription.responses()
    subscription.hear(Request(ENDPOINTS, frozenset({"chat", "quota"}), first.nonce))
    assert sent(subscription) == {ENDPOINTS: ["chat", "quota"]}


def test_a_change_is_sent_to_those_who_follow_its_type(subscription: Subscription, cache: Cache) -> None:
    settled(subscription)
    cache.publish(Group.EDGE, version(2))
    assert subscription.changed.is_set()
    assert list(sent(subscription)) == [ENDPOINTS]


def test_a_change_for_others_wakes_nobody(subscription: Subscription, cache: Cache) -> None:
    settled(subscription)
    cache.publish(Group.SIBLINGS, version(2))
    assert not subscription.changed.is_set()


def test_endpoints_are_sent_again_after_every_cluster(subscription: Subscription, cache: Cache) -> None:
    settled(subscription)
    cache.publish(Group.EDGE, version(1, clusters=2))
    assert list(sent(subscription)) == [CLUSTER, ENDPOINTS]


def test_what_was_refused_is_recorded_and_not_sent_again(subscription: Subscription, cache: Cache) -> None:
    settled(subscription)
    cache.publish(Group.EDGE, version(1, clusters=2))
    clusters, endpoints = subscription.responses()
    subscription.hear(Request(CLUSTER, nonce=clusters.nonce, error="no"))
    subscription.hear(Request(ENDPOINTS, nonce=endpoints.nonce))
    assert sent(subscription) == {}
    assert cache.verdict("edge-1", CLUSTER) == Verdict(clusters.version, "no")
    subscription.hear(Request(CLUSTER, frozenset({"chat"}), clusters.nonce))
    assert sent(subscription) == {}
    cache.publish(Group.EDGE, version(1, clusters=3))
    assert list(sent(subscription)) == [CLUSTER, ENDPOINTS]


def test_a_later_refusal_of_an_older_response_says_nothing(subscription: Subscription, cache: Cache) -> None:
    subscription.hear(Request(CLUSTER))
    (old,) = subscription.responses()
    cache.publish(Group.EDGE, version(1, clusters=2))
    (new,) = subscription.responses()
    subscription.hear(Request(CLUSTER, nonce=old.nonce, error="no"))
    assert cache.verdict("edge-1", CLUSTER) is None
    subscription.hear(Request(CLUSTER, nonce=new.nonce))
    assert cache.verdict("edge-1", CLUSTER) == Verdict(new.version)


def test_a_new_stream_is_offered_what_an_old_one_refused(cache: Cache) -> None:
    with cache.subscribe(NODE) as first:
        first.hear(Request(CLUSTER))
        (response,) = first.responses()
        first.hear(Request(CLUSTER, nonce=response.nonce, error="no"))
    assert cache.verdict("edge-1", CLUSTER) is None
    with cache.subscribe(NODE) as second:
        second.hear(Request(CLUSTER))
        assert list(sent(second)) == [CLUSTER]


def test_nothing_is_sent_before_the_first_snapshot_and_then_at_once() -> None:
    cache = Cache()
    with cache.subscribe(NODE) as subscription:
        subscription.hear(Request(CLUSTER))
        assert sent(subscription) == {}
        cache.publish(Group.EDGE, version(1))
        assert (subscription.changed.is_set(), list(sent(subscription))) == (True, [CLUSTER])


def test_the_cache_knows_who_is_connected(cache: Cache) -> None:
    with cache.subscribe(NODE):
        assert list(cache.nodes()) == [NODE]
    assert list(cache.nodes()) == []
