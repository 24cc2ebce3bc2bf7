"""How long the frames of a recording are together: of MP3 and FLAC, whose headers may tell anything."""

from __future__ import annotations

import re

MP3_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MP3_RATES = (44_100, 48_000, 32_000)
# By the two bits of the version: a half and a quarter of the rates.
MP3_SHARES = {3: 1, 2: 2, 0: 4}
# The mark of layer III of each version, a bit rate, and a sampling rate.
MP3_FRAME = re.compile(
    rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]["
    + b"".join(re.escape(bytes([kbits << 4 | low])) for kbits in range(1, 15) for low in range(12))
    + b"]",
    re.DOTALL,
)

FLAC_FRAME = re.compile(rb"\xff[\xf8\xf9][\x10-\xff][\x00-\xaf]", re.DOTALL)
FLAC_RATES = (0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
# Of bytes that look like frames, so many are looked at.
FLAC_FRAMES_MAX = 50_000


def mp3(content: bytes) -> tuple[float, int]:
    """Seconds of all frames, and how many bytes belong to none. A tag before the first frame is no sound."""
    at = _behind_tag(content)
    told, rest = 0.0, 0
    while (match := MP3_FRAME.search(content, at)) is not None:
        rest += match.start() - at
        size, seconds = _mp3_frame(content[match.start() : match.end()])
        told += seconds
        at = match.start() + size
    return told, rest + max(0, len(content) - at)


def flac(content: bytes) -> float:
    """Seconds of all frames; 0 where there are none, or too many."""
    packed = int.from_bytes(content[18:26], "big")
    told = 0.0
    for count, match in enumerate(FLAC_FRAME.finditer(content, _behind_metadata(content))):
        if count >= FLAC_FRAMES_MAX:
            return 0.0
        samples, rate = _flac_frame(content[match.start() : match.start() + 16])
        told += samples / (rate or packed >> 44 or 44_100)
    return told


def _behind_tag(content: bytes) -> int:
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    end = 10 + sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    return end if MP3_FRAME.match(content, end) else 0


def _mp3_frame(header: bytes) -> tuple[int, float]:
    """Bytes and seconds of a frame."""
    share = MP3_SHARES[header[1] >> 3 & 3]
    rate = MP3_RATES[header[2] >> 2 & 3] // share
    samples = 1_152 if share == 1 else 576
    kbits = MP3_KBITS[share == 1][header[2] >> 4]
    return samples // 8 * kbits * 1_000 // rate + (header[2] >> 1 & 1), samples / rate


def _behind_metadata(content: bytes) -> int:
    at, last = 4, False
    while not last and at + 4 <= len(content):
        last = content[at] >= 0x80
        at += 4 + int.from_bytes(content[at + 1 : at + 4], "big")
    return at if last and at < len(content) else 4


def _flac_frame(header: bytes) -> tuple[int, int]:
    """Samples, and how many of them a second is, 0 where the file says that; nothing for what is no header."""
    size_code, rate_code = header[2] >> 4, header[2] & 15
    more = _flac_number(header[4:5])
    at = 5 + more
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    end = at + size_bytes + rate_bytes
    if more < 0 or rate_code == 15 or end >= len(header) or _crc8(header[:end]) != header[end]:
        return 0, 0
    told = int.from_bytes(header[at : at + size_bytes], "big") + 1
    samples = {1: 192, 6: told, 7: told}.get(size_code) or (
        576 << size_code - 2 if size_code < 6 else 256 << size_code - 8
    )
    rate = int.from_bytes(header[at + size_bytes : end], "big") * {12: 1_000, 14: 10}.get(rate_code, 1)
    return samples, rate if rate_bytes else FLAC_RATES[rate_code]


def _flac_number(first: bytes) -> int:
    """How many bytes of a number follow its first one, as UTF-8 has it; -1 for what begins no number."""
    if not first or first[0] == 0xFF or 0x80 <= first[0] < 0xC0:
        return -1
    # The bits that are set, from the highest on, say how many bytes there are.
    return max(0, 7 - (first[0] ^ 0xFF).bit_length())


def _crc8(content: bytes) -> int:
    """With the polynomial x^8 + x^2 + x + 1, as frames end their headers."""
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc
