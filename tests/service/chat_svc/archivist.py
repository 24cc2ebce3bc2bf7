"""Somebody who takes conversations out and in."""

import json
from typing import Any

from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc, chat_pb2
from tests.service.chat_svc.replica import Replica

JSON = archive_pb2.EXPORT_FORMAT_JSON
OURS = archive_pb2.IMPORT_FORMAT_JSON


class Archivist:
    """Somebody who takes conversations out and in."""

    def __init__(self, replica: Replica, user: str = "alice") -> None:
        self.person = replica.person(user)
        self.stub: Any = archive_pb2_grpc.ArchiveServiceStub(replica.dial("edge"))

    async def export(self, name: str, kind: archive_pb2.ExportFormat = JSON) -> tuple[str, bytes]:
        request = archive_pb2.ExportConversationRequest(name=name, format=kind)
        file = await self.stub.ExportConversation(request, metadata=self.person.metadata, timeout=60)
        return file.content_type, file.data

    async def take(
        self, kind: archive_pb2.ImportFormat, content: bytes, character: str = "", request_id: str = ""
    ) -> archive_pb2.ImportConversationsResponse:
        request = archive_pb2.ImportConversationsRequest(
            format=kind, content=content, character=character, request_id=request_id
        )
        taken: archive_pb2.ImportConversationsResponse = await self.stub.ImportConversations(
            request, metadata=self.person.metadata
        )
        return taken

    async def told(self, name: str) -> list[tuple[Any, ...]]:
        """Every message of every branch, as far as it does not depend on where it is kept."""
        request = chat_pb2.ListMessagesRequest(parent=name, all_branches=True)
        found = (await self.person.stub.ListMessages(request, metadata=self.person.metadata)).messages
        places = {one.name: place for place, one in enumerate(found)}
        return [
            (
                places.get(one.parent),
                one.role,
                one.character,
                one.text,
                one.state,
                one.failure_reason,
                one.model,
                one.pinned,
                one.reaction,
                one.create_time,
                one.sibling_number,
                one.sibling_count,
            )
            for one in found
        ]


def placed(file: bytes) -> dict[str, Any]:
    """What one of our files tells, with its messages and its media named by their places in it."""
    told: dict[str, Any] = json.loads(file)
    media = {one.pop("name"): number for number, one in enumerate(told.get("media", []))}
    places = {one["name"]: number for number, one in enumerate(told["messages"])}
    told |= {key: places.get(told[key]) for key in ("current", "summary_until")}
    for one in told["messages"]:
        one |= {key: places.get(one[key]) for key in ("name", "parent", "next") if key in one}
        one["media"] = [media[name] for name in one.get("media", [])]
    return told
