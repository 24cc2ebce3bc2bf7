"""How long a recording is, as far as its bytes tell, and what that costs."""

from __future__ import annotations

import struct

from services.chat_svc.domain.frames import flac, mp3

SECONDS_PER_UNIT = 60
CHARACTERS_PER_UNIT = 1_000

# Of what cannot be measured: speech is seldom kept in fewer bits than these, so the guess is rather too long.
BITS_PER_SECOND = {"audio/ogg": 16_000, "audio/webm": 16_000}
BITS_PER_SECOND_OTHERWISE = 32_000

# Formats of WAV: PCM and floats have samples of as many bits as they say, A-law and mu-law always of 8.
WAV_SAMPLED = frozenset({1, 3})
WAV_SAMPLE_BITS = frozenset({8, 16, 24, 32, 64})
WAV_LAWS = frozenset({6, 7})
# Tells its format further on, in a first chunk of at least so many bytes.
WAV_EXTENSIBLE = 0xFFFE
WAV_EXTENSIBLE_BYTES = 40


def seconds(content: bytes, content_type: str) -> float:
    """As its samples and frames are together for WAV, MP3 and FLAC, however long it says that it is; by the size for
    others, and for what belongs to no frame."""
    told, rest = 0.0, len(content)
    match content_type:
        case "audio/wav" if (bytes_per_second := _wav(content)) > 0:
            told, rest = len(content) / bytes_per_second, 0
        case "audio/flac" if (sum_of_frames := flac(content)) > 0:
            told, rest = sum_of_frames, 0
        case "audio/mpeg":
            told, rest = mp3(content)
    return told + rest * 8 / BITS_PER_SECOND.get(content_type, BITS_PER_SECOND_OTHERWISE)


def minutes(seconds: float) -> int:
    """Units of `transcription`: minutes begun."""
    return max(1, -int(-seconds // SECONDS_PER_UNIT))


def thousands(text: str) -> int:
    """Units of `speech`: 1,000 characters begun."""
    return max(1, -(-len(text) // CHARACTERS_PER_UNIT))


def _wav(content: bytes) -> int:
    """Bytes a second, by the shape of its samples, which are played as they are; 0 where that does not tell."""
    if content[12:16] != b"fmt " or len(content) < 36:
        return 0
    size, form, channels, rate, _, _, bits = struct.unpack_from("<IHHIIHH", content, 16)
    if size < 16:
        return 0
    if form == WAV_EXTENSIBLE and size >= WAV_EXTENSIBLE_BYTES:
        form = int.from_bytes(content[44:46], "little")
    if form in WAV_LAWS:
        return int(rate * channels)
    return rate * channels * bits // 8 if form in WAV_SAMPLED and bits in WAV_SAMPLE_BITS else 0
