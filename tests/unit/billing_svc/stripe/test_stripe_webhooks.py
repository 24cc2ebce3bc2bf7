"""The little of a body that is believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvalidArgument
from services.billing_svc.payments.stripe.webhooks import Event, parsed

CREATED = 1_700_000_000
TIME = datetime.fromtimestamp(CREATED, UTC)
SNAPSHOT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2020-08-27",
    "created": CREATED,
    "livemode": False,
    "type": "customer.subscription.updated",
    "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "whatever"}},
}
THIN: dict[str, Any] = {
    "id": "evt_test_2",
    "object": "v2.core.event",
    "created": "2023-11-14T22:13:20.000Z",
    "livemode": True,
    "type": "v1.customer.subscription.updated",
    "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
}


def body(event: Any) -> bytes:
    return json.dumps(event).encode()


def test_a_snapshot_says_what_it_is_about() -> None:
    links = {"customer": "cus_1"}
    event = Event("evt_1", "customer.subscription.updated", TIME, "subscription", "sub_1", links, live=False)
    assert parsed(body(SNAPSHOT)) == event


def test_a_thin_event_says_the_same_without_the_object() -> None:
    event = Event("evt_test_2", "customer.subscription.updated", TIME, "subscription", "sub_1", {}, live=True)
    assert parsed(body(THIN)) == event


def test_a_link_is_an_id_or_the_object_itself() -> None:
    charge = {"id": "ch_1", "object": "charge", "payment_intent": {"id": "pi_1"}, "invoice": "in_1", "customer": None}
    event = parsed(body(SNAPSHOT | {"type": "charge.refunded", "data": {"object": charge}}))
    assert (event.object_type, event.object_id, event.links) == (
        "charge",
        "ch_1",
        {"payment_intent": "pi_1", "invoice": "in_1"},
    )


@pytest.mark.parametrize(
    "about",
    [
        {"object": "balance"},
        {"object": "invoice", "id": None},
        {"object": "invoice", "id": ""},
        {"object": "invoice", "id": 7},
        {"object": "invoice", "id": "../v1/customers"},
        {"object": "invoice", "id": "in_1\n"},
        {"object": "invoice", "id": "in_\x00"},
    ],
)
def test_an_object_without_an_id_cannot_be_read_again(about: dict[str, Any]) -> None:
    assert parsed(body(SNAPSHOT | {"data": {"object": about}})).object_id == ""


def test_a_thin_event_about_nothing_is_an_event() -> None:
    event = parsed(body(THIN | {"related_object": None}))
    assert (event.object_type, event.object_id) == ("", "")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b'"evt_1"',
        b"{",
        b"\xff",
        b"\x00",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"object": "event", "created": ' + b"9" * 5000 + b"}",
        body([SNAPSHOT]),
        body({"event": SNAPSHOT}),
        body(SNAPSHOT | {"object": "list"}),
        body(SNAPSHOT | {"object": ["event"]}),
        body(SNAPSHOT | {"object": None}),
        body({key: value for key, value in SNAPSHOT.items() if key != "id"}),
        body({key: value for key, value in SNAPSHOT.items() if key != "type"}),
        body({key: value for key, value in SNAPSHOT.items() if key != "created"}),
        body({key: value for key, value in SNAPSHOT.items() if key != "data"}),
        body(SNAPSHOT | {"id": ""}),
        body(SNAPSHOT | {"id": 7}),
        body(SNAPSHOT | {"id": "cus_1"}),
        body(SNAPSHOT | {"id": "evt_1\x00"}),
        body(SNAPSHOT | {"id": "evt_1\n"}),
        body(SNAPSHOT | {"id": "evt_\ud800"}),
        body(SNAPSHOT | {"id": "evt_" + "x" * 1000}),
        body(SNAPSHOT | {"type": {"a": 1}}),
        body(SNAPSHOT | {"type": "a\x00b"}),
        body(SNAPSHOT | {"created": None}),
        body(SNAPSHOT | {"created": True}),
        body(SNAPSHOT | {"created": 1.5}),
        body(SNAPSHOT | {"created": -1}),
        body(SNAPSHOT | {"created": 10**12}),
        body(SNAPSHOT | {"created": 10**400}),
        body(SNAPSHOT | {"created": float("inf")}),
        body(SNAPSHOT | {"created": "tomorrow"}),
        body(SNAPSHOT | {"created": "2023-11-14T22:13:20"}),
        body(SNAPSHOT | {"created": "9999-12-31T23:59:59-23:59"}),
        body(SNAPSHOT | {"created": "0001-01-01T00:00:00+23:59"}),
        body(SNAPSHOT | {"data": None}),
        body(SNAPSHOT | {"data": []}),
        body(SNAPSHOT | {"data": {}}),
        body(SNAPSHOT | {"data": {"object": []}}),
        body(THIN | {"related_object": []}),
        body(THIN | {"related_object": "sub_1"}),
        body(THIN | {"related_object": 7}),
    ],
)
def test_what_is_no_event_is_refused(bad: bytes) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parsed(bad)
    assert caught.value.reason == "BAD_BODY"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = sorted({*SNAPSHOT, *THIN})


@given(st.sampled_from([SNAPSHOT, THIN]), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3))
def test_whatever_is_in_a_body_it_is_an_event_or_refused(event: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        assert isinstance(parsed(body(event | changes)), Event)
    except InvalidArgument as error:
        assert error.reason == "BAD_BODY"
