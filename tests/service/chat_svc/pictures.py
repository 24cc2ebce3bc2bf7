"""Images and recordings as tests make them, and somebody who has them."""

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.api import httpbody_pb2
from PIL import Image

from scenemesh.chat.v1 import chat_pb2, media_pb2, media_pb2_grpc
from tests.service.chat_svc.replica import CALL_SECONDS, CHARACTER, Events, Person, Replica

MAKER = "Camera of Alice"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), colour: str = "red", **more: Any) -> bytes:
    """An image in one of Pillow's formats."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


def photograph(kind: str) -> bytes:
    """An image that lies on its side, and tells by what camera it was made."""
    told = Image.Exif()
    told[0x0112], told[0x010F] = 6, MAKER
    return picture(kind, exif=told)


def animation(frames: int = 30) -> bytes:
    drawn = [Image.new("P", (40, 20), number) for number in range(frames)]
    written = io.BytesIO()
    drawn[0].save(written, "GIF", save_all=True, append_images=drawn[1:], comment=MAKER.encode())
    return written.getvalue()


def claimed(width: int, height: int) -> bytes:
    """A small PNG whose header says that it is as large as this."""
    made = bytearray(picture())
    made[16:24] = struct.pack(">II", width, height)
    made[29:33] = struct.pack(">I", zlib.crc32(made[12:29]))
    return bytes(made)


def recording(seconds: float = 2.0) -> bytes:
    """A WAV of silence."""
    said = bytes(int(seconds * 8_000))
    form = struct.pack("<HHIIHH", 1, 1, 8_000, 8_000, 1, 8)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(said))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", len(said))
        + said
    )


@dataclass(frozen=True)
class Owner:
    """Somebody who keeps media."""

    stub: "media_pb2_grpc.MediaServiceAsyncStub"
    metadata: Sequence[tuple[str, str]]

    async def keep(self, content: bytes, request_id: str = "") -> media_pb2.Media:
        request = media_pb2.CreateMediaRequest(content=content, request_id=request_id)
        return await self.stub.CreateMedia(request, metadata=self.metadata)

    async def get(self, name: str) -> httpbody_pb2.HttpBody:
        return await self.stub.GetMedia(media_pb2.GetMediaRequest(name=name), metadata=self.metadata)


def owner(replica: Replica, user: str = "alice") -> Owner:
    stub = media_pb2_grpc.MediaServiceStub(replica.dial("edge"))
    return Owner(stub, (("x-user-id", user), ("x-user-role", "user")))


async def opened(person: Person) -> str:
    """The name of a conversation with a title, so that no model is asked for one."""
    conversation = chat_pb2.Conversation(character=CHARACTER, display_name="At home")
    request = chat_pb2.CreateConversationRequest(conversation=conversation)
    return (await person.stub.CreateConversation(request, metadata=person.metadata)).name


async def showing(person: Person, parent: str, media: Sequence[str], text: str = "Look!", **more: Any) -> Events:
    """The events of a turn in which somebody shows media."""
    request = chat_pb2.SendMessageRequest(parent=parent, text=text, media=media, **more)
    return [event async for event in person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)]


async def transcribed(owner: Owner, name: str, language: str = "", request_id: str = "") -> media_pb2.Transcript:
    request = media_pb2.TranscribeRequest(name=name, language=language, request_id=request_id)
    return await owner.stub.Transcribe(request, metadata=owner.metadata)


async def read_aloud(owner: Owner, name: str, voice: str = "") -> httpbody_pb2.HttpBody:
    request = media_pb2.SpeakRequest(name=name, voice=voice)
    return await owner.stub.Speak(request, metadata=owner.metadata)
