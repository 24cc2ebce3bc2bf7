"""Files of which a part is good."""

import json
from typing import Any

import pytest

from scenemesh.chat.v1 import archive_pb2
from tests.service.chat_svc.archivist import Archivist
from tests.service.chat_svc.replica import CHARACTER, Replica

OPEN_WEB_UI, LIBRE_CHAT = archive_pb2.IMPORT_FORMAT_OPEN_WEB_UI, archive_pb2.IMPORT_FORMAT_LIBRE_CHAT
SHAPE = "It has another shape than this format."
CIRCLE = "Some of its messages were said after one another in a circle."


def chat(key: Any, parent: Any) -> dict[str, Any]:
    """A chat of Open WebUI's with one message, behind what its system said."""
    said = {"s": {"role": "system", "parentId": "s"}, key: {"role": "user", "parentId": parent, "content": "Who?"}}
    return {"chat": {"history": {"messages": said}}}


def talk(key: Any, parent: Any) -> dict[str, Any]:
    """A conversation of LibreChat's with one message."""
    return {"messages": [{"messageId": key, "parentMessageId": parent, "isCreatedByUser": True, "text": "Who?"}]}


@pytest.mark.parametrize(
    ("kind", "told", "reasons"),
    [
        (OPEN_WEB_UI, [chat("a", 7), chat("a", "s"), chat("\ud800", None)], [SHAPE, CIRCLE]),
        (LIBRE_CHAT, [talk(7, None), talk(None, None), talk("a", 7), talk("\ud800", None)], [SHAPE] * 3),
    ],
)
async def test_what_names_its_messages_as_nothing_can_be_named_is_skipped_and_the_rest_is_opened(
    first: Replica, kind: archive_pb2.ImportFormat, told: list[dict[str, Any]], reasons: list[str]
) -> None:
    archivist = Archivist(first)
    taken = await archivist.take(kind, json.dumps(told).encode(), CHARACTER)
    (opened,) = taken.conversations
    assert [(one.place, one.reason) for one in taken.skipped] == list(enumerate(reasons, 1))
    assert [one.text for one in await archivist.person.messages(opened.name)] == ["Who?"]
