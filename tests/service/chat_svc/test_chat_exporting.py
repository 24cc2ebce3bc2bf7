"""Conversations that become files beside the answers."""

import threading
from typing import Any

import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import archive_pb2, character_pb2, chat_pb2
from services.chat_svc.archive import exporting
from tests.service.chat_svc.archivist import Archivist
from tests.service.chat_svc.replica import Replica
from tests.service.chat_svc.test_chat_characters import Author

ALL = "ListMessages gives all that was said, page by page."


@pytest.mark.parametrize(
    ("kind", "writer"),
    [
        (archive_pb2.EXPORT_FORMAT_JSON, "written"),
        (archive_pb2.EXPORT_FORMAT_MARKDOWN, "markdown"),
        (archive_pb2.EXPORT_FORMAT_TEXT, "plain"),
    ],
)
async def test_a_file_is_written_where_no_answer_waits_for_it(
    first: Replica, monkeypatch: pytest.MonkeyPatch, kind: archive_pb2.ExportFormat, writer: str
) -> None:
    write, threads = getattr(exporting, writer), list[threading.Thread]()

    def watched(*told: Any) -> bytes:
        threads.append(threading.current_thread())
        content: bytes = write(*told)
        return content

    monkeypatch.setattr(exporting, writer, watched)
    archivist = Archivist(first)
    _, content = await archivist.export(await archivist.person.conversation(), kind)
    assert (len(threads), threading.current_thread() in threads, content != b"") == (1, False, True)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            archive_pb2.EXPORT_FORMAT_JSON,
            f"The conversation is too long for one file. As Markdown or text, it has its chosen branch alone. {ALL}",
        ),
        (
            archive_pb2.EXPORT_FORMAT_TEXT,
            f"The chosen branch is too long for one file. {ALL}",
        ),
        (
            archive_pb2.EXPORT_FORMAT_PDF,
            f"The chosen branch is too long for one file. {ALL}",
        ),
    ],
)
async def test_what_is_too_long_for_a_file_is_refused_with_how_to_have_it_all_the_same(
    first: Replica, monkeypatch: pytest.MonkeyPatch, kind: archive_pb2.ExportFormat, told: str
) -> None:
    archivist = Archivist(first)
    parent = await archivist.person.conversation()
    await archivist.person.turn(parent, "Who are you?")
    monkeypatch.setattr(exporting, "FILE_BYTES_MAX", 10)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await archivist.export(parent, kind)
    assert (error_info(caught.value).reason, caught.value.details()) == ("TOO_LARGE", told)


async def test_a_pdf_that_is_too_large_is_to_be_had_as_text(first: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    archivist = Archivist(first)
    parent = await archivist.person.conversation()
    await archivist.person.turn(parent, "Who are you?")
    monkeypatch.setattr(exporting, "FILE_BYTES_MAX", 500)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await archivist.export(parent, archive_pb2.EXPORT_FORMAT_PDF)
    assert "export it as Markdown or text" in str(caught.value.details())
    assert (await archivist.export(parent, archive_pb2.EXPORT_FORMAT_TEXT))[1]


@pytest.mark.parametrize(
    ("deleted", "speaks"),
    [(["Mira"], b"A deleted character"), (["Mira", "Tom"], b"A deleted character 1")],
    ids=["one", "several"],
)
async def test_a_character_that_its_person_deleted_is_called_so(
    first: Replica, deleted: list[str], speaks: bytes
) -> None:
    author, archivist = Author(first), Archivist(first)
    made = [(await author.create(display_name=name)).name for name in deleted]
    wanted = chat_pb2.CreateConversationRequest(conversation=chat_pb2.Conversation(character=made[0], others=made[1:]))
    person = archivist.person
    parent = (await person.stub.CreateConversation(wanted, metadata=person.metadata)).name
    for name in made:
        await author.call("DeleteCustomCharacter", character_pb2.DeleteCustomCharacterRequest(name=name))
    for kind, said in (
        (archive_pb2.EXPORT_FORMAT_TEXT, b"\n" + speaks + b":\n"),
        (archive_pb2.EXPORT_FORMAT_MARKDOWN, b"**" + speaks + b"**"),
    ):
        content = (await archivist.export(parent, kind))[1]
        assert said in content
        assert made[0].partition("/")[2].encode() not in content
