from datetime import UTC, datetime
from uuid import UUID

import pytest

from runtime.events.envelope import dead_stream, envelope, opened, stream, topic
from scenemesh.events.v1.envelope_pb2 import Envelope
from scenemesh.events.v1.quota_pb2 import QuotaDepleted

ID = UUID("00000000-0000-4000-8000-000000000001")
TIME = datetime(2026, 11, 21, 8, tzinfo=UTC)
DEPLETED = QuotaDepleted(meter="chat")
EVENT = envelope("quota.depleted", "users/alice", DEPLETED, TIME, ID, "request-1")


def test_an_event_comes_out_as_it_went_in() -> None:
    found, data = opened(EVENT.SerializeToString()), QuotaDepleted()
    assert found == EVENT
    assert found.data.Unpack(data)
    assert (found.id, found.type, found.subject, found.time.ToDatetime(UTC), found.request_id, data) == (
        str(ID),
        "quota.depleted",
        "users/alice",
        TIME,
        "request-1",
        DEPLETED,
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        Envelope(type="quota.low", subject="users/alice").SerializeToString(),
        Envelope(id="1", type="quota.low", subject="users/alice").SerializeToString(),
        Envelope(id=str(ID), subject="users/alice").SerializeToString(),
        Envelope(id=str(ID), type="quota.low").SerializeToString(),
    ],
)
def test_what_lacks_something_is_no_event(payload: bytes) -> None:
    with pytest.raises(ValueError):
        opened(payload)


def test_the_topic_is_the_word_before_the_dot() -> None:
    assert (topic("quota.depleted"), topic("quota")) == ("quota", "quota")
    assert (stream("quota"), dead_stream("quota")) == ("events.quota", "events.quota.dead")
