"""Files that people might show and say."""

import io
import random
import wave

from PIL import Image


def noise(side: int) -> bytes:
    """A PNG with no two pixels alike."""
    written = io.BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(side).randbytes(side * side * 3)).save(written, "PNG")
    return written.getvalue()


def recording(seconds: int) -> bytes:
    """A WAV of silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.writeframes(bytes(8_000 * seconds))
    return written.getvalue()
