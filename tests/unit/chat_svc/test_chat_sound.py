"""How long recordings are, whatever their headers say."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.frames import FLAC_FRAMES_MAX, flac
from services.chat_svc.domain.sound import minutes, seconds, thousands

RATE = 8_000


def wav(samples: bytes, *, form: int = 1, told: int = RATE, bits: int = 8, size: int = 16) -> bytes:
    shape = struct.pack("<IHHIIHH", size, form, 1, RATE, told, 1, bits)
    head = b"RIFF\0\0\0\0WAVEfmt " + shape + b"data\0\0\0\0"
    return head + samples[len(head) :]


def mp3(kbits: int) -> bytes:
    """A frame of 1,152 samples at 48 kHz, of the first version."""
    index = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320).index(kbits)
    return (b"\xff\xfb" + bytes([index << 4 | 4]) + b"\0").ljust(144 * kbits * 1_000 // 48_000, b"\0")


def crc8(content: bytes) -> int:
    """By division of the whole as one number."""
    number = int.from_bytes(content, "big") << 8
    for bit in range(number.bit_length() - 1, 7, -1):
        if number >> bit & 1:
            number ^= 0x107 << bit - 8
    return number


def flac_frame(code: int, number: bytes, more: bytes = b"") -> bytes:
    header = b"\xff\xf8" + bytes([code, 0x08]) + number + more
    return header + bytes([crc8(header)]) + bytes(50)


def flac_file(frames: bytes, *, told: int = 1, rate: int = 16_000) -> bytes:
    """A file that says that it has so many samples."""
    info = bytes(10) + (rate << 44 | told).to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80\x00\x00\x22" + info + frames


def extensible(form: int, samples: bytes, *, bits: int, size: int = 40) -> bytes:
    """A WAV that tells its format behind the shape of its samples, in a chunk of `size` bytes."""
    guid = struct.pack("<H", form) + bytes.fromhex("000000001000800000aa00389b71")
    shape = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, RATE, 1, bits, 22, bits, 4) + guid
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", size) + shape + b"data\0\0\0\0"
    return head + samples[len(head) :]


# Sixteen kHz by the file, by the frame, and by its end.
FLAC = flac_frame(0xC0, b"\0") + flac_frame(0xC5, b"\xc2\x80") + flac_frame(0x7D, b"\2", b"\x0f\xff\x3e\x80")


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (wav(bytes(RATE)), "audio/wav", 1.0),
        (wav(bytes(RATE), told=0xFFFFFFF0), "audio/wav", 1.0),
        (wav(bytes(RATE), form=3, bits=32), "audio/wav", 0.25),
        (wav(bytes(4_000), form=0x11, bits=4), "audio/wav", 1.0),
        (wav(bytes(4_000), bits=0), "audio/wav", 1.0),
        (wav(bytes(4_000), bits=12), "audio/wav", 1.0),
        (wav(bytes(4_000), bits=65_528), "audio/wav", 1.0),
        (wav(bytes(4_000), size=14, bits=64), "audio/wav", 1.0),
        (wav(bytes(RATE), form=6, bits=65_528), "audio/wav", 1.0),
        (wav(bytes(RATE), form=7, bits=0), "audio/wav", 1.0),
        (wav(bytes(4_000), form=0xFFFE, bits=64), "audio/wav", 1.0),
        (extensible(1, bytes(RATE), bits=16), "audio/wav", 0.5),
        (extensible(3, bytes(RATE), bits=32), "audio/wav", 0.25),
        (extensible(6, bytes(RATE), bits=65_528), "audio/wav", 1.0),
        (extensible(1, bytes(4_000), bits=64, size=18), "audio/wav", 1.0),
        (extensible(0x55, bytes(4_000), bits=64), "audio/wav", 1.0),
        (extensible(0xFFFE, bytes(4_000), bits=64), "audio/wav", 1.0),
        (b"RIFF\0\0\0\0WAVEJUNK" + bytes(984), "audio/wav", 0.25),
        (mp3(128) * 125, "audio/mpeg", 3.0),
        (mp3(320) + mp3(32) * 124, "audio/mpeg", 3.0),
        (b"ID3\x04\0\0\0\0\0\x06" + bytes(6) + mp3(32) * 125, "audio/mpeg", 3.0),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3(32) * 125, "audio/mpeg", 3.0025),
        (mp3(320) + bytes(8_000) + mp3(32) * 124, "audio/mpeg", 5.0),
        (b"ID3\x04" + bytes(3_996), "audio/mpeg", 1.0),
        (flac_file(FLAC, told=1), "audio/flac", 0.768),
        (flac_file(b"\xff\xf8\xc0\x08\0\0" * 100), "audio/flac", 642 / 4_000),
        (b"fLaC", "audio/flac", 0.001),
        (b"OggS" + bytes(3_996), "audio/ogg", 2.0),
        (bytes(4_000), "audio/webm", 2.0),
        (bytes(4_000), "audio/mp4", 1.0),
    ],
)
def test_a_recording_is_as_long_as_what_it_holds(content: bytes, kind: str, expected: float) -> None:
    assert seconds(content, kind) == pytest.approx(expected)


def test_of_what_looks_like_too_many_frames_none_is_counted() -> None:
    assert flac(flac_file(flac_frame(0xC0, b"\0")[:8] * (FLAC_FRAMES_MAX + 1))) == 0.0


@given(st.binary(max_size=400), st.sampled_from([b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf8", b"RIFF\0\0\0\0WAVEfmt "]))
def test_every_recording_has_a_length(content: bytes, head: bytes) -> None:
    for kind in ("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg"):
        assert seconds(head + content, kind) > 0


def test_every_minute_and_every_thousand_characters_begun_is_a_unit() -> None:
    assert [minutes(one) for one in (0.0, 0.4, 60.0, 60.1, 119.0, 121.0)] == [1, 1, 1, 2, 2, 3]
    assert [thousands("x" * one) for one in (0, 1, 1_000, 1_001)] == [1, 1, 1, 2]
