from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from runtime.errors import FailedPrecondition, MeshError
from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc, chat_pb2
from tests.service.cli.conftest import Command
from tests.service.cli.fake_edge import CONVERSATION, refuse

SKIPPED = archive_pb2.SkippedConversation(place=2, display_name="A talk", reason="It holds no history.")


@dataclass
class Archive(archive_pb2_grpc.ArchiveServiceServicer):
    """ArchiveService as a test scripts it."""

    refusal: MeshError | None = None
    taken: tuple[chat_pb2.Conversation, ...] = (chat_pb2.Conversation(name=CONVERSATION, display_name="Sherlock"),)
    requests: list[Any] = field(default_factory=list)

    async def ExportConversation(self, request: Any, context: Any) -> HttpBody:
        self.requests.append(request)
        if self.refusal is not None:
            await refuse(context, self.refusal)
        return HttpBody(content_type="text/markdown", data=b"# Sherlock\n")

    async def ImportConversations(self, request: Any, context: Any) -> archive_pb2.ImportConversationsResponse:
        self.requests.append(request)
        return archive_pb2.ImportConversationsResponse(conversations=self.taken, skipped=[SKIPPED], media_left_behind=3)


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
async def hers(archive: Archive, state: Path) -> AsyncIterator[Command]:
    """The command, beside an edge that has ArchiveService."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    archive_pb2_grpc.add_ArchiveServiceServicer_to_server(archive, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield Command(state, {"SCENEMESH_URL": f"http://127.0.0.1:{port}", "COLUMNS": "160"})
    await server.stop(0)


async def test_a_conversation_is_written_to_a_file(hers: Command, archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "talk.md"
    ran = await hers("conversations", "export", CONVERSATION, "--format", "markdown", "-o", str(file))
    assert (ran.code, file.read_bytes()) == (0, b"# Sherlock\n")
    assert archive.requests == [
        archive_pb2.ExportConversationRequest(name=CONVERSATION, format=archive_pb2.EXPORT_FORMAT_MARKDOWN)
    ]


async def test_a_file_becomes_conversations_and_what_was_skipped_is_said(
    hers: Command, archive: Archive, tmp_path: Path
) -> None:
    file = tmp_path / "chats.json"
    file.write_bytes(b"[]")
    ran = await hers("conversations", "import", str(file), "--from", "open-web-ui", "--character", "sherlock-holmes")
    assert (ran.code, CONVERSATION in ran.out) == (0, True)
    assert ran.err == "Skipped 2 A talk: It holds no history.\nImages that the file does not bring: 3.\n"
    (request,) = archive.requests
    assert (request.format, request.content, request.character, request.request_id != "") == (
        archive_pb2.IMPORT_FORMAT_OPEN_WEB_UI,
        b"[]",
        "characters/sherlock-holmes",
        True,
    )


async def test_the_same_file_is_the_same_request_and_another_one_is_not(
    hers: Command, archive: Archive, tmp_path: Path
) -> None:
    file, copy, other = (tmp_path / name for name in ("chats.json", "copy.json", "other.json"))
    for path, content in ((file, b"[]"), (copy, b"[]"), (other, b"[ ]")):
        path.write_bytes(content)
    for path, options in ((file, ()), (file, ("--character", "ada")), (copy, ()), (other, ())):
        await hers("conversations", "import", str(path), *options)
    first, *again, another = [UUID(request.request_id) for request in archive.requests]
    assert (again, another == first) == ([first, first], False)


async def test_a_file_of_which_nothing_was_taken_is_a_failure(hers: Command, archive: Archive, tmp_path: Path) -> None:
    archive.taken = ()
    (tmp_path / "chats.json").write_bytes(b"[]")
    ran = await hers("conversations", "import", str(tmp_path / "chats.json"))
    assert (ran.code, ran.err.splitlines()[-2:]) == (
        1,
        [
            "scenemesh: No conversation of the file was taken.",
            "--character CHARACTER says who it is, where the file does not.",
        ],
    )
    ran = await hers("conversations", "import", str(tmp_path / "chats.json"), "--json")
    assert (ran.code, ran.json["conversations"], ran.json["skipped"][0]["place"], ran.err) == (1, [], 2, "")


async def test_programs_learn_what_was_written_where(hers: Command, tmp_path: Path) -> None:
    file = tmp_path / "talk.md"
    ran = await hers("conversations", "export", CONVERSATION, "-o", str(file), "--json")
    told = {"content_type": "text/markdown", "size_bytes": "11", "file": str(file)}
    assert (ran.code, ran.json, ran.err) == (0, told, "")


async def test_what_cannot_be_written_is_a_failure(hers: Command, archive: Archive, tmp_path: Path) -> None:
    archive.refusal = FailedPrecondition("It is too long.", reason="TOO_LARGE")
    ran = await hers("conversations", "export", CONVERSATION, "-o", str(tmp_path / "talk.json"))
    assert (ran.code, ran.err.splitlines()) == (
        1,
        [
            "scenemesh: It is too long.",
            "`scenemesh conversations show CONVERSATION` shows its chosen branch, with --all every one of them.",
        ],
    )
    too_large = tmp_path / "large.json"
    too_large.write_bytes(b" " * (3 * 2**20 + 1))
    ran = await hers("conversations", "import", str(too_large))
    assert (ran.code, ran.err) == (2, f"scenemesh: {too_large} is larger than 3 MiB.\n")
