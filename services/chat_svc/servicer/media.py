"""MediaService."""

from __future__ import annotations

from typing import Any

import grpc
from google.api import httpbody_pb2

from runtime.context import caller
from scenemesh.chat.v1 import media_pb2, media_pb2_grpc
from services.chat_svc.convert import media as convert
from services.chat_svc.convert.conversations import conversation_id
from services.chat_svc.convert.messages import message_id
from services.chat_svc.parts import Parts

Context = grpc.aio.ServicerContext


class MediaServicer(media_pb2_grpc.MediaServiceServicer):
    """Images and recordings."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def CreateMedia(self, request: media_pb2.CreateMediaRequest, context: Context[Any, Any]) -> media_pb2.Media:
        media = await self._parts.shelf.keep(caller().person(), request.content, request.request_id)
        return convert.media_to_proto(media)

    async def GetMedia(self, request: media_pb2.GetMediaRequest, context: Context[Any, Any]) -> httpbody_pb2.HttpBody:
        media = await self._parts.shelf.get(caller().person(), convert.media_id(request.name))
        return convert.body(media.content_type, media.content)

    async def Transcribe(
        self, request: media_pb2.TranscribeRequest, context: Context[Any, Any]
    ) -> media_pb2.Transcript:
        media = convert.media_id(request.name)
        made = await self._parts.hearing.write_down(caller().person(), media, request.language, request.request_id)
        return convert.transcript_to_proto(made)

    async def Speak(self, request: media_pb2.SpeakRequest, context: Context[Any, Any]) -> httpbody_pb2.HttpBody:
        conversation, message = conversation_id(request.name), message_id(request.name)
        sound = await self._parts.reciting.recite(caller().person(), conversation, message, request.voice)
        return convert.body("audio/mpeg", sound)
