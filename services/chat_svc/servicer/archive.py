"""The RPCs of ArchiveService."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc
from google.api.httpbody_pb2 import HttpBody

from runtime.context import caller
from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc
from services.chat_svc.convert import archive as convert
from services.chat_svc.convert.conversations import conversation_id
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class ArchiveServicer(archive_pb2_grpc.ArchiveServiceServicer):
    """Every RPC of ArchiveService."""

    def __init__(self, parts: Parts) -> None:
        self._exporting = parts.exporting
        self._importing = parts.importing
        self._new_id = parts.new_id

    async def ExportConversation(
        self, request: archive_pb2.ExportConversationRequest, context: Context[Any, Any]
    ) -> HttpBody:
        kind = convert.KINDS[request.format]
        return convert.file_to_proto(
            await self._exporting.export(caller().person(), conversation_id(request.name), kind)
        )

    async def ImportConversations(
        self, request: archive_pb2.ImportConversationsRequest, context: Context[Any, Any]
    ) -> archive_pb2.ImportConversationsResponse:
        again = UUID(request.request_id) if request.request_id else self._new_id()
        imported = await self._importing.take(
            caller().person(), request.content, convert.FORMATS[request.format], request.character, again
        )
        return convert.imported_to_proto(imported)
