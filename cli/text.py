"""What comes from elsewhere, fit for a terminal and for programs."""

import unicodedata
from datetime import UTC
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text


def printable(text: str) -> str:
    """The text without control characters but line breaks and tabs: nothing that moves a cursor or sets a title."""
    return "".join(character for character in text if character in "\n\t" or unicodedata.category(character) != "Cc")


def cell(text: str) -> Text:
    """The text for a table; brackets in it are no markup."""
    return Text(printable(text), overflow="fold")


def clock(moment: Timestamp) -> str:
    """A moment to the minute, in local time."""
    return moment.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def word(message: Message, field: str, prefix: str) -> str:
    """An enum field without its prefix: HOLD_STATE_HELD is "held". A value that we do not know yet is its number."""
    number = getattr(message, field)
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(number) if enum is not None else None
    return value.name.removeprefix(prefix).lower() if value is not None else str(number)


def to_json(message: Message) -> dict[str, Any]:
    """A message as REST gives it."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
