"""What tests look at in a stream."""

from scenemesh.chat.v1 import chat_pb2
from tests.service.chat_svc.replica import Events


def numbers(events: Events) -> list[int]:
    return [event.number for event in events]


def kinds(events: Events) -> list[str]:
    return [event.WhichOneof("event") or "" for event in events]


def without_delays(events: Events) -> Events:
    """The events that are of the log."""
    return [event for event in events if not event.HasField("delayed")]


def said(events: Events) -> str:
    """The text that the deltas make, where a seam keeps the beginning of what was said before it."""
    text = ""
    for event in events:
        text = text[: event.seam.kept_characters] if event.HasField("seam") else text + event.delta.text
    return text


def failed(reason: "chat_pb2.FailureReason", charged: int, text: str) -> tuple[int, int, str, str]:
    return int(reason), charged, text, text


def failure(events: Events) -> tuple[int, int, str, str]:
    """Why, what it cost, the text that the message kept and the text that was streamed."""
    last = events[-1].failed
    return int(last.reason), last.receipt.charged, last.message.text, said(events)
