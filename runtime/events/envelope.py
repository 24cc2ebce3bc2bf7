"""An event as it travels, and where it travels."""

from datetime import datetime
from uuid import UUID

from google.protobuf.message import DecodeError, Message

from scenemesh.events.v1.envelope_pb2 import Envelope

PREFIX = "events."
DEAD = ".dead"

# The fields of an entry in a stream. GROUP stands in replayed entries alone: the one group that they are meant for.
ENVELOPE = b"envelope"
GROUP = b"group"


def envelope(
    event_type: str, subject: str, data: Message, time: datetime, event_id: UUID, request_id: str = ""
) -> Envelope:
    """The event `data` of the type `{topic}.{past participle}`, ready for an outbox."""
    sealed = Envelope(id=str(event_id), type=event_type, subject=subject, time=time, request_id=request_id)
    sealed.data.Pack(data)
    return sealed


def opened(payload: bytes) -> Envelope:
    """The event in an entry. ValueError when it is none, or lacks what every event has."""
    try:
        found = Envelope.FromString(payload)
    except DecodeError as error:
        raise ValueError("no envelope") from error
    UUID(found.id)
    if not found.type or not found.subject:
        raise ValueError("an envelope without type or subject")
    return found


def topic(event_type: str) -> str:
    """`quota` of `quota.depleted`."""
    return event_type.partition(".")[0]


def stream(topic: str) -> str:
    """The key of a topic's stream."""
    return f"{PREFIX}{topic}"


def dead_stream(topic: str) -> str:
    """The key of the stream with a topic's dead letters."""
    return f"{PREFIX}{topic}{DEAD}"
