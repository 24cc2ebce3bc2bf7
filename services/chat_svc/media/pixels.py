"""Images made safe to show: decoded once, and written anew from their pixels alone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import structlog
from PIL import Image, ImageOps

from services.chat_svc.domain.media import check_size, no_media

log = structlog.get_logger()

# A decoded image takes up to 100 MB, so that few are decoded at once.
DECODED_MAX = 2
# A picture that is sent in ever finer passes costs a whole picture of work for each; cameras need about ten.
JPEG_PASSES_MAX = 100
# What models take of one image.
BYTES_MAX = 3_500_000

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
# With little loss, and in a second or two for the largest.
WRITING: dict[str, dict[str, int]] = {"image/jpeg": {"quality": 95}, "image/webp": {"quality": 95, "method": 0}}
# Of what stands in a file beside its pixels, what they cannot be understood without.
NEEDED = ("transparency",)


@dataclass(frozen=True)
class Picture:
    """An image as it is kept."""

    content: bytes = field(repr=False)
    width: int
    height: int


class Pixels:
    """Decodes off the event loop, a few at a time."""

    def __init__(self) -> None:
        # A thread cannot be cancelled: one whose caller went away still counts here, unlike with a semaphore.
        self._threads = ThreadPoolExecutor(DECODED_MAX, thread_name_prefix="pixels")

    async def clean(self, content: bytes, content_type: str) -> Picture:
        """The image upright and without anything but its pixels: no place, no time, no camera, no comment.

        Of an animation it is the first picture. INVALID_ARGUMENT for what cannot be decoded whole, or has more pixels
        than allowed, which its header tells before any is decoded.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, _clean, content, content_type)

    async def count(self, content: bytes, content_type: str) -> int:
        """How many pixels an image's header tells; INVALID_ARGUMENT for more than allowed, and for a broken header."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _count, content, content_type)


def _count(content: bytes, content_type: str) -> int:
    width, height = _opened(content, content_type).size
    check_size(width, height)
    return width * height


def _clean(content: bytes, content_type: str) -> Picture:
    if content_type == "image/jpeg" and content.count(b"\xff\xda") > JPEG_PASSES_MAX:
        raise no_media("is a JPEG of too many passes")
    image = _opened(content, content_type)
    check_size(*image.size)
    picture = _rewritten(image, content_type)
    if len(picture.content) > BYTES_MAX:
        raise no_media("is too large once it is written without its metadata: make it smaller")
    return picture


def _opened(content: bytes, content_type: str) -> Image.Image:
    """The image, of which only the header is read yet."""
    try:
        return Image.open(BytesIO(content), formats=[FORMATS[content_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise no_media("has more pixels than allowed") from error
    # A decoder of bytes that anybody may have made fails in any way.
    except Exception as error:
        raise _broken(content_type, error) from error


def _rewritten(image: Image.Image, content_type: str) -> Picture:
    written = BytesIO()
    try:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        kept: dict[str | tuple[int, int], Any] = {name: image.info[name] for name in NEEDED if name in image.info}
        upright = image if content_type != "image/jpeg" or image.mode in ("L", "RGB") else image.convert("RGB")
        upright.info = kept
        upright.save(written, FORMATS[content_type], **WRITING.get(content_type, {}))
    except Exception as error:
        raise _broken(content_type, error) from error
    return Picture(written.getvalue(), *upright.size)


def _broken(content_type: str, error: Exception) -> Exception:
    log.info("image refused", content_type=content_type, error=type(error).__name__)
    return no_media(f"cannot be read as {content_type}: it is broken off or damaged")
