"""How long a recording is, as its container tells, and what that costs."""

from __future__ import annotations

import struct

SECONDS_PER_UNIT = 60
CHARACTERS_PER_UNIT = 1_000

# Where the container does not tell: speech is seldom kept in fewer bits than these, so the guess is rather too long.
BITS_PER_SECOND = 32_000

MP3_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def seconds(content: bytes, content_type: str) -> float:
    """An estimate: of what the container tells for WAV, FLAC and MP3, of the size for others."""
    try:
        told = {"audio/wav": _wav, "audio/flac": _flac, "audio/mpeg": _mp3}[content_type](content)
    except (KeyError, IndexError, struct.error, ZeroDivisionError):
        told = 0.0
    return told or len(content) * 8 / BITS_PER_SECOND


def minutes(seconds: float) -> int:
    """Units of `transcription`: minutes begun."""
    return max(1, -int(-seconds // SECONDS_PER_UNIT))


def thousands(text: str) -> int:
    """Units of `speech`: 1,000 characters begun."""
    return max(1, -(-len(text) // CHARACTERS_PER_UNIT))


def _wav(content: bytes) -> float:
    """By the bytes a second that its format says, which stands first."""
    if content[12:16] != b"fmt ":
        return 0.0
    (bytes_per_second,) = struct.unpack_from("<I", content, 28)
    return float(len(content) / bytes_per_second)


def _flac(content: bytes) -> float:
    """By its count of samples: 20 bits of rate, 8 of the shape, 36 of the count."""
    (packed,) = struct.unpack_from(">Q", content, 18)
    return float((packed & (1 << 36) - 1) / (packed >> 44))


def _mp3(content: bytes) -> float:
    """By the bit rate of its first frame."""
    start = 0
    if content[:3] == b"ID3":
        start = 10 + sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    if content[start] != 0xFF:
        return 0.0
    kbits = MP3_KBITS[content[start + 1] & 0x18 == 0x18][content[start + 2] >> 4]
    return float((len(content) - start) * 8 / (kbits * 1000))
