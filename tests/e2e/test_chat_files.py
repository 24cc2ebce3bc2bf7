"""Conversations as files, through the edge: out as raw bytes, in as JSON."""

import base64
import json

import pytest

from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc
from tests.e2e.clients import Json, bearer, channel, said
from tests.e2e.stack import Stack
from tests.e2e.talker import Talker

REQUEST_ID = "6f1d2c3e-0000-4000-8000-00000000000c"
MIB = 2**20
FORMATS = {
    "EXPORT_FORMAT_JSON": ("application/json", b'{\n "format": "scenemesh.conversation"'),
    "EXPORT_FORMAT_MARKDOWN": ("text/markdown; charset=utf-8", b"# Sherlock Holmes\n"),
    "EXPORT_FORMAT_TEXT": ("text/plain; charset=utf-8", b"Sherlock Holmes\n"),
    "EXPORT_FORMAT_PDF": ("application/pdf", b"%PDF-"),
}


async def test_over_grpc_a_file_is_a_message_with_the_same_bytes(stack: Stack) -> None:
    fay = Talker(stack, "files-fay")
    conversation = await fay.rest.conversation()
    await fay.says(conversation)
    over_rest = await fay.file(f"{conversation}:export", format="EXPORT_FORMAT_TEXT")
    request = archive_pb2.ExportConversationRequest(name=conversation, format=archive_pb2.EXPORT_FORMAT_TEXT)
    async with channel(stack.url) as opened:
        stub = archive_pb2_grpc.ArchiveServiceStub(opened)
        over_grpc = await stub.ExportConversation(request, metadata=bearer(fay.token))
    assert (over_grpc.content_type, over_grpc.data) == (over_rest.content_type, over_rest.content)


def _told(messages: list[Json]) -> list[tuple[str, ...]]:
    """What makes a conversation the same as another."""
    return [tuple(str(one[key]) for key in ("role", "character", "text", "pinned", "reaction")) for one in messages]


@pytest.mark.parametrize("form", FORMATS)
async def test_a_conversation_comes_out_as_the_bytes_of_a_file(stack: Stack, form: str) -> None:
    ada = Talker(stack, "files-ada")
    conversation = (await ada.do("conversations", character="characters/sherlock-holmes"))["name"]
    await ada.change(conversation, "display_name", display_name="Sherlock Holmes")
    words = said(await ada.says(conversation)).encode()
    file = await ada.file(f"{conversation}:export", format=form)
    content_type, beginning = FORMATS[form]
    assert (file.status, file.content_type, file.content[: len(beginning)]) == (200, content_type, beginning)
    # A PDF's words are packed.
    assert (words in file.content) == (form != "EXPORT_FORMAT_PDF")


async def test_what_came_out_goes_in_again_with_all_its_branches(stack: Stack) -> None:
    ben, cy = Talker(stack, "files-ben"), Talker(stack, "files-cy")
    conversation = await ben.rest.conversation()
    answer = (await ben.says(conversation, "Grüß Gott, 😀!"))[0]["message"]
    await ben.change(answer, "pinned,reaction", pinned=True, reaction="REACTION_LIKE")
    await ben.stream(f"{answer}:regenerate")
    # Unspecified means JSON.
    file = await ben.file(f"{conversation}:export")
    request = {"format": "IMPORT_FORMAT_JSON", "content": base64.b64encode(file.content).decode()}
    taken = [await cy.do("conversations:import", **request, request_id=REQUEST_ID) for _ in range(2)]
    assert taken[0] == taken[1]
    (opened,) = taken[0]["conversations"]
    assert taken[0]["skipped"] == []
    for all_branches in (False, True):
        theirs = await ben.messages(conversation, all_branches=all_branches)
        ours = await cy.messages(opened["name"], all_branches=all_branches)
        assert _told(ours) == _told(theirs)
    assert (await ben.rest.call("GET", f"/v1/{opened['name']}")).status == 404
    assert await cy.remaining("chat") == 5


def _tavern(size: int) -> bytes:
    """A chat of SillyTavern's with so many bytes."""
    header = {"user_name": "Dora", "character_name": "Sherlock Holmes", "create_date": "2026-1-1@00h00m00s"}
    line = json.dumps({"name": "Dora", "is_user": True, "mes": "x" * 900}).encode() + b"\n"
    content = json.dumps(header).encode() + b"\n" + line * ((size - 300) // len(line))
    return content + b" " * (size - len(content) - 1) + b"\n"


async def test_a_file_of_three_mebibytes_is_taken_and_a_larger_one_is_refused_clearly(stack: Stack) -> None:
    dora = Talker(stack, "files-dora")

    def request(content: bytes) -> Json:
        told = base64.b64encode(content).decode()
        return {"format": "IMPORT_FORMAT_SILLY_TAVERN", "content": told, "character": "characters/sherlock-holmes"}

    taken = await dora.do("conversations:import", **request(_tavern(3 * MIB)))
    assert ([one["message_count"] > 3_000 for one in taken["conversations"]], taken["skipped"]) == ([True], [])
    refusals = [
        await dora.refused("POST", "conversations:import", request(content))
        for content in (_tavern(3 * MIB + 1), _tavern(4 * MIB), b"no chat")
    ]
    assert refusals == [(400, "INVALID_ARGUMENT"), (413, "BODY_TOO_LARGE"), (400, "INVALID_ARGUMENT")]
    assert len((await dora.ask("conversations"))["conversations"]) == 1


# The same talk, as two other products write it: a question, and two answers to it.
LIBRE_CHAT = {
    "conversationId": "x",
    "title": "A talk",
    "messages": [
        {"messageId": "a", "parentMessageId": None, "isCreatedByUser": True, "text": "Who?"},
        {"messageId": "b", "parentMessageId": "a", "isCreatedByUser": False, "text": "Me."},
        {"messageId": "c", "parentMessageId": "a", "isCreatedByUser": False, "text": "Nobody."},
    ],
}
OPEN_WEB_UI_MESSAGES = {
    "a": {"id": "a", "parentId": None, "role": "user", "content": "Who?"},
    "b": {"id": "b", "parentId": "a", "role": "assistant", "content": "Me."},
    "c": {"id": "c", "parentId": "a", "role": "assistant", "content": "Nobody."},
}
OPEN_WEB_UI = [
    {"title": "A talk", "chat": {"history": {"messages": OPEN_WEB_UI_MESSAGES, "currentId": "c"}}},
    {"title": "No talk", "chat": {}},
]


@pytest.mark.parametrize(
    ("form", "file", "skipped"),
    [
        ("IMPORT_FORMAT_LIBRE_CHAT", LIBRE_CHAT, []),
        (
            "IMPORT_FORMAT_OPEN_WEB_UI",
            OPEN_WEB_UI,
            [{"place": 2, "display_name": "No talk", "reason": "It holds no history."}],
        ),
    ],
)
async def test_what_was_said_elsewhere_goes_on_here(stack: Stack, form: str, file: Json, skipped: list[Json]) -> None:
    fay = Talker(stack, f"files-{form.lower().replace('_', '-')}")
    content = base64.b64encode(json.dumps(file).encode()).decode()
    character = "characters/sherlock-holmes"
    taken = await fay.do("conversations:import", format=form, content=content, character=character)
    (opened,) = taken["conversations"]
    assert taken["skipped"] == skipped
    told = await fay.messages(opened["name"], all_branches=True)
    assert [(one["text"], one["character"]) for one in told] == [
        ("Who?", ""),
        ("Me.", character),
        ("Nobody.", character),
    ]
    await fay.says(opened["name"], "Nobody?")
    chosen = [one["text"] for one in await fay.messages(opened["name"])]
    assert chosen[:3] == ["Who?", "Nobody.", "Nobody?"]
    assert stack.provider.fake.requests[-1].body["messages"][-1]["content"] == "Nobody?"


async def test_what_is_too_large_leaves_no_query_in_the_log(stack: Stack) -> None:
    eve, secret = Talker(stack, "files-eve"), "nobodys-to-read"
    sent = {"display_name": "x" * 200_000}
    assert await eve.refused("POST", f"conversations?token={secret}", sent) == (413, "BODY_TOO_LARGE")
    assert await eve.refused("GET", f"conversations?token={secret}") == (400, "INVALID_ARGUMENT")
    logs = (stack.state / "logs").glob("*.log")
    assert {log.name for log in logs if secret in log.read_text(errors="replace")} == set()
