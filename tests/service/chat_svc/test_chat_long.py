"""Conversations as long as they may be."""

import json

from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc, chat_pb2
from tests.service.chat_svc.replica import CHARACTER, Replica

MESSAGES = 10_000


def file() -> bytes:
    """One long branch, in our own format."""
    said = [
        {
            "name": f"{number}",
            "parent": f"{number - 1}" if number else None,
            "role": "character" if number % 2 else "user",
            "text": f"Line {number}",
            "state": "complete",
        }
        for number in range(MESSAGES)
    ]
    told = {"format": "scenemesh.conversation", "version": 1, "title": "Long", "character": CHARACTER}
    return json.dumps({**told, "messages": said}).encode()


async def test_the_longest_conversation_comes_in_goes_on_and_goes_out(first: Replica) -> None:
    person = first.person("alice")
    stub = archive_pb2_grpc.ArchiveServiceStub(first.dial("edge"))
    bring = archive_pb2.ImportConversationsRequest(format=archive_pb2.IMPORT_FORMAT_JSON, content=file())
    (taken,) = (await stub.ImportConversations(bring, metadata=person.metadata)).conversations
    events = await person.turn(taken.name, "And then?")
    page = await person.stub.ListMessages(
        chat_pb2.ListMessagesRequest(parent=taken.name, page_size=2), metadata=person.metadata
    )
    export = archive_pb2.ExportConversationRequest(name=taken.name)
    exported = json.loads((await stub.ExportConversation(export, metadata=person.metadata)).data)
    assert taken.message_count == MESSAGES
    assert events[0].started.user_message.parent == taken.current_message
    assert [(one.text, one.sibling_number, one.sibling_count) for one in page.messages] == [
        ("Line 0", 1, 1),
        ("Line 1", 1, 1),
    ]
    assert [one["text"] for one in exported["messages"][MESSAGES - 1 :]] == [
        f"Line {MESSAGES - 1}",
        "And then?",
        events[-1].finished.message.text,
    ]
