"""An event in words, and as JSON."""

import importlib
import json
import pkgutil
from datetime import UTC
from typing import Any

from google.protobuf import json_format

from cli.text import printable, to_json
from runtime.events.envelope import opened
from scenemesh.events import v1
from scenemesh.events.v1.envelope_pb2 import Envelope


def learn() -> None:
    """Loads every event of the contract, so that what an envelope carries can be read."""
    for module in pkgutil.iter_modules(v1.__path__):
        importlib.import_module(f"{v1.__name__}.{module.name}")


def as_json(payload: bytes) -> dict[str, Any] | None:
    """The event in an entry, as JSON; None when it is none. Data of an unknown type keeps its type alone."""
    try:
        event = opened(payload)
    except ValueError:
        return None
    try:
        return to_json(event)
    except (TypeError, json_format.Error):
        bare = Envelope()
        bare.CopyFrom(event)
        bare.ClearField("data")
        return {**to_json(bare), "data": {"@type": event.data.type_url}}


def line(event: dict[str, Any]) -> str:
    """The event for a person: time, type, subject, data."""
    data = {name: value for name, value in event["data"].items() if name != "@type"}
    words = (_local(event), event["type"], event["subject"], json.dumps(data, ensure_ascii=False))
    return printable("  ".join(words)).replace("\n", " ")


def _local(event: dict[str, Any]) -> str:
    envelope = Envelope()
    envelope.time.FromJsonString(event["time"])
    return envelope.time.ToDatetime(UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
