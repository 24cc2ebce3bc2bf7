"""Images and recordings: what they are, by their own bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from runtime.errors import InvalidArgument, Violation

# What a person may keep at once.
MEDIA_MAX = 1_000
MEDIA_BYTES_MAX = 200 * 1024 * 1024

# How long what no message shows is kept.
UNUSED_FOR = timedelta(days=1)

SIDE_MAX = 8_000
PIXELS_MAX = 25_000_000

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
# With the file names' endings, by which models tell them apart.
AUDIO_ENDINGS = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/webm": "webm",
}

# What an M4A file may call itself; those of its siblings that hold pictures are left out.
MP4_BRANDS = (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"iso5", b"iso6", b"dash")


@dataclass(frozen=True)
class Media:
    """An image or a recording of a person's; `width` and `height` in pixels, 0 for a recording."""

    user: str
    id: UUID
    content_type: str
    content: bytes = field(repr=False)
    width: int
    height: int
    created_at: datetime

    @property
    def name(self) -> str:
        return f"media/{self.id}"

    @property
    def is_image(self) -> bool:
        return self.content_type in IMAGE_TYPES


def content_type(content: bytes) -> str | None:
    """What bytes are, as they say themselves at their beginning; None for what is not allowed here."""
    match content[:4], content[8:12]:
        case b"\x89PNG", _:
            return "image/png"
        case b"GIF8", _:
            return "image/gif"
        case b"RIFF", b"WEBP":
            return "image/webp"
        case b"RIFF", b"WAVE":
            return "audio/wav"
        case b"OggS", _:
            return "audio/ogg"
        case b"fLaC", _:
            return "audio/flac"
        case b"\x1a\x45\xdf\xa3", _ if b"webm" in content[:64]:
            return "audio/webm"
        case _, brand if content[4:8] == b"ftyp" and brand in MP4_BRANDS:
            return "audio/mp4"
    if content[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    return "audio/mpeg" if content[:3] == b"ID3" or _is_mp3_frame(content[:4]) else None


def _is_mp3_frame(header: bytes) -> bool:
    """Whether a frame of layer III begins here: its mark, no reserved version, bit rate or sampling rate."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2 or header[1] & 0x18 == 0x08:
        return False
    return header[2] >> 4 not in (0, 15) and header[2] & 0x0C != 0x0C


def check_size(width: int, height: int) -> None:
    """INVALID_ARGUMENT for more pixels than allowed."""
    if max(width, height) > SIDE_MAX or width * height > PIXELS_MAX:
        raise no_media(
            f"has {width} x {height} pixels; up to {SIDE_MAX:,} a side and {PIXELS_MAX:,} in all are allowed"
        )


def no_media(description: str) -> InvalidArgument:
    """The refusal of bytes that are no media."""
    fault = Violation("content", description)
    return InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
