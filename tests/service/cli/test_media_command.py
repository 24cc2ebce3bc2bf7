from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from runtime.errors import FailedPrecondition, MeshError, NotFound
from scenemesh.chat.v1 import media_pb2, media_pb2_grpc
from tests.service.cli.conftest import Command
from tests.service.cli.fake_edge import MESSAGE, refuse

NAME = "media/00000000-0000-4000-8000-000000000007"
IMAGE = media_pb2.Media(name=NAME, content_type="image/png", size_bytes=1_234, width=40, height=20)
TOLD = media_pb2.Transcript(text="Good evening.", model="ears", seconds=61.4, charged=2)
# More than gRPC takes unless it is told to.
SOUND = HttpBody(content_type="audio/mpeg", data=b"\xff\xfb\x90\x00" * 1_500_000)


@dataclass
class Media(media_pb2_grpc.MediaServiceServicer):
    """MediaService as a test scripts it."""

    refusal: MeshError | None = None
    requests: list[Any] = field(default_factory=list)

    async def CreateMedia(self, request: Any, context: Any) -> media_pb2.Media:
        await self._heard(request, context)
        return IMAGE

    async def GetMedia(self, request: Any, context: Any) -> HttpBody:
        await self._heard(request, context)
        return HttpBody(content_type="image/png", data=b"\x89PNG")

    async def Transcribe(self, request: Any, context: Any) -> media_pb2.Transcript:
        await self._heard(request, context)
        return TOLD

    async def Speak(self, request: Any, context: Any) -> HttpBody:
        await self._heard(request, context)
        return SOUND

    async def _heard(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        if self.refusal is not None:
            await refuse(context, self.refusal)


@pytest.fixture
def media() -> Media:
    return Media()


@pytest.fixture
async def alices(media: Media, state: Path) -> AsyncIterator[Command]:
    """The command, beside an edge that has MediaService."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    media_pb2_grpc.add_MediaServiceServicer_to_server(media, server)
    url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield Command(state, {"SCENEMESH_URL": url})
    await server.stop(0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "of alice's"
    written.write_bytes(b"bytes")
    return written


async def test_a_file_is_kept_and_its_name_is_all_of_stdout(alices: Command, media: Media, file: Path) -> None:
    ran = await alices("media", "add", str(file))
    assert (ran.code, ran.out, ran.err) == (0, f"{NAME}\n", "image/png, 40 x 20 pixels, 1,234 bytes\n")
    (request,) = media.requests
    assert (request.content, len(request.request_id)) == (b"bytes", 36)


async def test_for_programs_it_is_json(alices: Command, file: Path) -> None:
    ran = await alices("media", "add", str(file), "--json")
    assert (ran.json["name"], ran.json["width"], ran.err) == (NAME, 40, "")


async def test_what_is_kept_is_written_to_a_file(alices: Command, media: Media, tmp_path: Path) -> None:
    output = tmp_path / "got.png"
    ran = await alices("media", "get", NAME.removeprefix("media/"), "-o", str(output))
    assert (ran.code, ran.out, output.read_bytes()) == (0, "", b"\x89PNG")
    assert ran.err == f"image/png, 4 bytes, in {output}\n"
    assert media.requests == [media_pb2.GetMediaRequest(name=NAME)]


async def test_a_recording_is_kept_and_written_down(alices: Command, media: Media, file: Path) -> None:
    ran = await alices("transcribe", str(file), "--language", "en")
    assert (ran.code, ran.out, ran.err) == (0, "Good evening.\n", "paid 2 for 61 s, ears\n")
    created, asked = media.requests
    assert (created.content, asked.name, asked.language, len(asked.request_id)) == (b"bytes", NAME, "en", 36)


async def test_one_that_is_kept_already_is_written_down_too(alices: Command, media: Media) -> None:
    ran = await alices("transcribe", NAME, "--json")
    assert (ran.code, ran.json["charged"]) == (0, "2")
    assert [type(request).__name__ for request in media.requests] == ["TranscribeRequest"]


async def test_a_message_is_read_aloud_into_a_file(alices: Command, media: Media, tmp_path: Path) -> None:
    output = tmp_path / "said.mp3"
    ran = await alices("speak", MESSAGE, "-o", str(output), "--voice", "nova")
    assert (ran.code, output.read_bytes()) == (0, SOUND.data)
    assert media.requests == [media_pb2.SpeakRequest(name=MESSAGE, voice="nova")]


async def test_a_file_that_is_not_there_or_too_large_is_not_sent(alices: Command, media: Media, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(2_621_441))
    absent = await alices("media", "add", str(tmp_path / "absent"))
    too_large = await alices("media", "add", str(large))
    nowhere = await alices("media", "get", NAME, "-o", str(tmp_path / "no" / "folder"))
    assert [one.code for one in (absent, too_large, nowhere)] == [2, 2, 1]
    assert ("cannot be read" in absent.err, "larger than 2.5 MiB" in too_large.err) == (True, True)
    assert [type(request).__name__ for request in media.requests] == ["GetMediaRequest"]


async def test_what_is_refused_is_said(alices: Command, media: Media, tmp_path: Path) -> None:
    media.refusal = FailedPrecondition("No configured model can speak.", reason="NO_MODEL_FOR_SPEECH")
    spoken = await alices("speak", MESSAGE, "-o", str(tmp_path / "said.mp3"), "--json")
    media.refusal = NotFound("There is no such image or recording among yours.", reason="MEDIA_NOT_FOUND")
    got = await alices("media", "get", NAME, "-o", str(tmp_path / "got"), "--json")
    assert [(one.code, one.json["error"]["reason"], one.json["error"]["hint"]) for one in (spoken, got)] == [
        (1, "NO_MODEL_FOR_SPEECH", "docs/media.md says how to bring one."),
        (1, "MEDIA_NOT_FOUND", ""),
    ]
