"""Conversations that become files beside the answers."""

import threading
from typing import Any

import pytest

from scenemesh.chat.v1 import archive_pb2
from services.chat_svc.archive import exporting
from tests.service.chat_svc.archivist import Archivist
from tests.service.chat_svc.replica import Replica


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
