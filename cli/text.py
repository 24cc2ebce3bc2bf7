"""What comes from elsewhere, fit for a terminal and for programs."""

import unicodedata
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from rich.text import Text


def printable(text: str) -> str:
    """The text without control characters but line breaks and tabs: nothing that moves a cursor or sets a title."""
    return "".join(character for character in text if character in "\n\t" or unicodedata.category(character) != "Cc")


def cell(text: str) -> Text:
    """The text for a table; brackets in it are no markup."""
    return Text(printable(text), overflow="fold")


def to_json(message: Message) -> dict[str, Any]:
    """A message as REST gives it."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
