"""Models that hear or speak, as data."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Task(Enum):
    """What a model does: writes down what is said, or reads aloud."""

    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


@dataclass(frozen=True)
class AudioModel:
    """One `[[audio]]` of the model list that this machine can reach.

    One that speaks has `voices`, and takes `characters_max` at once. `told_length` says that one that hears tells how
    long a recording is. `price` is in US dollars, for a minute or for 1,000 characters.
    """

    id: str
    task: Task
    provider_model: str
    base_url: str
    voices: tuple[str, ...] = ()
    characters_max: int = 4_096
    told_length: bool = False
    price: Decimal = Decimal(0)


@dataclass(frozen=True)
class Heard:
    """What was said in a recording, and how long that took; None where the model does not tell."""

    text: str
    seconds: float | None


@dataclass(frozen=True)
class Dictation:
    """What was written down of a recording; `charged` in units of the meter that paid."""

    text: str
    model: str
    seconds: float
    charged: int


def voice_of(character: str, voices: tuple[str, ...]) -> str:
    """The voice of a character, always the same one."""
    return voices[zlib.crc32(character.encode()) % len(voices)]


def pieces(text: str, characters_max: int) -> list[str]:
    """A text in parts that a model takes at once, cut behind a sentence, else behind a word, else where it must be."""
    parts = []
    while len(text) > characters_max:
        head = text[:characters_max]
        ends = [head.rfind(mark) + len(mark) for mark in ("\n", ". ", "! ", "? ") if mark in head]
        end = max(ends, default=0) or head.rfind(" ") + 1 or characters_max
        parts.append(text[:end])
        text = text[end:]
    return [part for part in (*parts, text) if part.strip()]
