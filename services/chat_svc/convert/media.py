"""Images, recordings and what is said in them, as the contract says it."""

from uuid import UUID

from google.api import httpbody_pb2

from scenemesh.chat.v1 import media_pb2
from services.chat_svc.convert.conversations import timestamp
from services.chat_svc.domain.audio import Dictation
from services.chat_svc.domain.media import Media


def media_id(name: str) -> UUID:
    """The id in `media/{uuid}`."""
    return UUID(name.split("/")[1])


def media_to_proto(media: Media) -> media_pb2.Media:
    return media_pb2.Media(
        name=media.name,
        content_type=media.content_type,
        size_bytes=len(media.content),
        width=media.width,
        height=media.height,
        create_time=timestamp(media.created_at),
    )


def transcript_to_proto(made: Dictation) -> media_pb2.Transcript:
    return media_pb2.Transcript(text=made.text, model=made.model, seconds=made.seconds, charged=made.charged)


def body(content_type: str, content: bytes) -> httpbody_pb2.HttpBody:
    """Bytes as they are: over REST they are the whole answer."""
    return httpbody_pb2.HttpBody(content_type=content_type, data=content)
