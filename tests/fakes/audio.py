"""OpenAI's audio endpoints as the fake provider speaks them."""

from typing import Any

from aiohttp import web

from tests.fakes.behaviour import Behaviour

# A frame of layer III without a sound in it.
FRAME = b"\xff\xfb\x90\x00" + bytes(413)


def uploaded(file: "web.FileField | bytes | bytearray") -> dict[str, Any]:
    """A file of a form as a request tells it."""
    assert isinstance(file, web.FileField)
    with file.file as content:
        return {"name": file.filename, "type": file.content_type, "bytes": len(content.read())}


def heard(form: dict[str, Any], behaviour: Behaviour) -> web.Response:
    """What is said in a recording: the answer, or how many bytes it has. The second number of `usage` is its seconds.

    Without it the length is not told; where `usage_with_reason` is set it stands in the usage.
    """
    if behaviour.malformed_after is not None:
        return web.Response(body=b'{"text": ', content_type="application/json")
    text = "".join(behaviour.answer) if behaviour.answer is not None else f"{form['file']['bytes']} bytes."
    told: dict[str, Any] = {"text": text}
    if behaviour.usage and behaviour.usage_with_reason:
        told["usage"] = {"type": "duration", "seconds": behaviour.usage[1]}
    elif behaviour.usage and form["response_format"] == "verbose_json":
        told |= {"task": "transcribe", "language": "english", "duration": float(behaviour.usage[1]), "segments": []}
    return web.json_response(told)


def sounding(body: dict[str, Any], behaviour: Behaviour) -> web.Response:
    """A text read aloud: a frame for every ten characters."""
    if behaviour.malformed_after is not None:
        return web.Response(body=b"<html>", content_type="audio/mpeg")
    return web.Response(body=FRAME * -(-len(body["input"]) // 10), content_type="audio/mpeg")
