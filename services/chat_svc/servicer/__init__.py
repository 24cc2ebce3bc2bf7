"""The services of the contract."""

from __future__ import annotations

import grpc

from scenemesh.chat.v1 import archive_pb2_grpc, character_pb2_grpc, chat_pb2_grpc, media_pb2_grpc
from services.chat_svc.parts import Parts
from services.chat_svc.servicer.archive import ArchiveServicer
from services.chat_svc.servicer.characters import CharacterServicer
from services.chat_svc.servicer.chat import ChatServicer
from services.chat_svc.servicer.media import MediaServicer

SERVICES = (
    "scenemesh.chat.v1.ChatService",
    "scenemesh.chat.v1.CharacterService",
    "scenemesh.chat.v1.ArchiveService",
    "scenemesh.chat.v1.MediaService",
)


def register(parts: Parts, server: grpc.aio.Server) -> None:
    """Adds every service to a server."""
    archive_pb2_grpc.add_ArchiveServiceServicer_to_server(ArchiveServicer(parts), server)
    character_pb2_grpc.add_CharacterServiceServicer_to_server(CharacterServicer(parts), server)
    chat_pb2_grpc.add_ChatServiceServicer_to_server(ChatServicer(parts), server)
    media_pb2_grpc.add_MediaServiceServicer_to_server(MediaServicer(parts), server)
