from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import Aborted, MeshError, NotFound, Unavailable
from scenemesh.chat.v1 import character_pb2, character_pb2_grpc, chat_pb2, chat_pb2_grpc
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import CONVERSATION, MESSAGE, MIRA, refuse

NOON = Timestamp(seconds=int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()))
FIRST = chat_pb2.Conversation(name=CONVERSATION, display_name="Baker Street", message_count=1_234, update_time=NOON)
SECOND = chat_pb2.Conversation(name=f"{CONVERSATION[:-1]}3", display_name="[bold]The Moor\x1b", update_time=NOON)
FIRST_ROW = ["2026-11-22 12:00", "Baker Street", "1,234", CONVERSATION]
QUESTION = chat_pb2.Message(
    name=MESSAGE, role=chat_pb2.ROLE_USER, text="Who are you?", create_time=NOON, sibling_count=1, sibling_number=1
)
ANSWER = chat_pb2.Message(
    name=f"{MESSAGE[:-1]}4",
    role=chat_pb2.ROLE_CHARACTER,
    character="characters/sherlock-holmes",
    text="Sherlock\x1b Holmes.",
    state=chat_pb2.MESSAGE_STATE_FAILED,
    create_time=NOON,
    edit_time=NOON,
    sibling_count=3,
    sibling_number=2,
    pinned=True,
    reaction=chat_pb2.REACTION_LIKE,
)
MATCH = chat_pb2.MessageMatch(
    message=ANSWER,
    conversation_display_name="Baker Street",
    snippet="the\nhound howled",
    highlights=[chat_pb2.Span(start=4, end=9)],
)


@dataclass
class Histories(chat_pb2_grpc.ChatServiceServicer, character_pb2_grpc.CharacterServiceServicer):
    """ChatService, and the characters of its person, as a test scripts them: every list has two pages."""

    refusal: MeshError | None = None
    # Who gives the answer, and what they are called or why that cannot be learned.
    character: str = ANSWER.character
    called: str | MeshError = "Mira"
    requests: list[Any] = field(default_factory=list)

    async def GetCustomCharacter(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        await self._heard(request, context)
        if isinstance(self.called, MeshError):
            await refuse(context, self.called)
        return character_pb2.CustomCharacter(name=request.name, display_name=str(self.called))

    def answer(self, text: str) -> chat_pb2.Message:
        answer = chat_pb2.Message()
        answer.CopyFrom(ANSWER)
        answer.character, answer.text = self.character, text
        return answer

    async def ListConversations(self, request: Any, context: Any) -> chat_pb2.ListConversationsResponse:
        await self._heard(request, context)
        if request.page_token:
            return chat_pb2.ListConversationsResponse(conversations=[SECOND])
        return chat_pb2.ListConversationsResponse(conversations=[FIRST], next_page_token="more")

    async def ListMessages(self, request: Any, context: Any) -> chat_pb2.ListMessagesResponse:
        await self._heard(request, context)
        if request.page_token:
            return chat_pb2.ListMessagesResponse(messages=[self.answer(ANSWER.text), self.answer("Again.")])
        return chat_pb2.ListMessagesResponse(messages=[QUESTION], next_page_token="more")

    async def SearchMessages(self, request: Any, context: Any) -> chat_pb2.SearchMessagesResponse:
        await self._heard(request, context)
        match = chat_pb2.MessageMatch()
        match.CopyFrom(MATCH)
        match.message.character = self.character
        matches = [] if "nothing" in request.query else [match]
        return chat_pb2.SearchMessagesResponse(matches=matches, next_page_token="more" if matches else "")

    async def UpdateConversation(self, request: Any, context: Any) -> chat_pb2.Conversation:
        await self._heard(request, context)
        return FIRST

    async def ForkConversation(self, request: Any, context: Any) -> chat_pb2.Conversation:
        await self._heard(request, context)
        return FIRST

    async def DeleteConversation(self, request: Any, context: Any) -> empty_pb2.Empty:
        await self._heard(request, context)
        return empty_pb2.Empty()

    async def _heard(self, request: Message, context: Any) -> None:
        kept = type(request)()
        kept.CopyFrom(request)
        self.requests.append(kept)
        if self.refusal is not None:
            await refuse(context, self.refusal)


@pytest.fixture
def histories() -> Histories:
    return Histories()  # type: ignore[abstract]


@pytest.fixture
async def hers(histories: Histories, state: Path) -> AsyncIterator[Command]:
    """The command, beside an edge that has these conversations."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    chat_pb2_grpc.add_ChatServiceServicer_to_server(histories, server)
    character_pb2_grpc.add_CharacterServiceServicer_to_server(histories, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Command(state, {"SCENEMESH_URL": f"http://127.0.0.1:{port}", "COLUMNS": "260"})
    finally:
        await server.stop(0)


async def test_conversations_are_a_table_a_page_long(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "list")
    assert (ran.code, rows(ran.out), ran.err) == (0, [FIRST_ROW], "There are more: --all shows them.\n")
    assert histories.requests == [chat_pb2.ListConversationsRequest()]


async def test_all_of_what_is_wanted_is_listed(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "list", "--archived", "--query", "moor", "--character", "watson", "--all")
    assert rows(ran.out) == [FIRST_ROW, ["2026-11-22 12:00", "[bold]The Moor", "0", SECOND.name]]
    wanted = chat_pb2.ListConversationsRequest(
        archived=True, query="moor", character="characters/watson", page_size=100
    )
    assert histories.requests[0] == wanted


async def test_what_was_said_is_shown_whole(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "show", CONVERSATION.split("/")[1], "--all")
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            f"you, 2026-11-22 12:00, {MESSAGE}",
            "Who are you?",
            "",
            f"sherlock-holmes, 2026-11-22 12:00, 2 of 3, failed, edited, pinned, liked, {ANSWER.name}",
            "Sherlock Holmes.",
            "",
            f"sherlock-holmes, 2026-11-22 12:00, 2 of 3, failed, edited, pinned, liked, {ANSWER.name}",
            "Again.",
            "",
        ],
    )
    assert histories.requests[0] == chat_pb2.ListMessagesRequest(parent=CONVERSATION, all_branches=True, page_size=100)


@pytest.mark.parametrize(
    ("called", "who"),
    [
        ("Mi\x1bra\nof the\tTower", "Mira of the Tower"),
        (NotFound("No such character.", reason="CHARACTER_NOT_FOUND"), "a deleted character (00000000)"),
        (Unavailable("Not now.", reason="DATABASE_UNAVAILABLE"), MIRA.name.partition("/")[2]),
    ],
)
async def test_a_character_of_ones_own_is_told_by_its_name_and_asked_for_once(
    hers: Command, histories: Histories, called: str | MeshError, who: str
) -> None:
    histories.character, histories.called = MIRA.name, called
    ran = await hers("conversations", "show", CONVERSATION)
    headings = [line.partition(", 2026")[0] for line in ran.out.splitlines() if "/messages/" in line]
    assert (ran.code, headings) == (0, ["you", who, who])
    assert histories.requests[2:] == [character_pb2.GetCustomCharacterRequest(name=MIRA.name)]
    (row,) = rows((await hers("conversations", "search", "hound")).out)
    assert row[2] == who


async def test_programs_get_what_was_said_as_it_is_and_ask_for_no_names(hers: Command, histories: Histories) -> None:
    histories.character = MIRA.name
    ran = await hers("conversations", "show", CONVERSATION, "--json")
    assert [one["character"] for one in ran.json["messages"]] == ["", MIRA.name, MIRA.name]
    assert [type(one).__name__ for one in histories.requests] == ["ListMessagesRequest"] * 2


async def test_words_are_searched_for(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "search", '"the hound"', "how", "--in", CONVERSATION)
    assert rows(ran.out) == [["2026-11-22 12:00", "Baker Street", "sherlock-holmes", "the hound howled", ANSWER.name]]
    assert histories.requests == [chat_pb2.SearchMessagesRequest(query='"the hound" how', parent=CONVERSATION)]
    ran = await hers("conversations", "search", "nothing -hound")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing of the kind was said.\n")


@pytest.mark.parametrize(
    ("words", "path", "wanted"),
    [
        (("rename", CONVERSATION, "Moor"), "display_name", chat_pb2.Conversation(display_name="Moor")),
        (("rename", CONVERSATION, ""), "display_name", chat_pb2.Conversation()),
        (("archive", CONVERSATION), "archived", chat_pb2.Conversation(archived=True)),
        (("unarchive", CONVERSATION), "archived", chat_pb2.Conversation()),
    ],
)
async def test_a_change_names_the_one_field_that_it_is_of(
    hers: Command, histories: Histories, words: tuple[str, ...], path: str, wanted: chat_pb2.Conversation
) -> None:
    ran = await hers("conversations", *words)
    assert (ran.code, rows(ran.out)) == (0, [FIRST_ROW])
    wanted.name = CONVERSATION
    assert histories.requests == [
        chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask=FieldMask(paths=[path]))
    ]


async def test_a_fork_is_asked_for_once(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "fork", MESSAGE, "--all", "--title", "What if", "--json")
    assert (ran.code, ran.json["name"]) == (0, CONVERSATION)
    (request,) = histories.requests
    assert request.request_id
    request.ClearField("request_id")
    assert request == chat_pb2.ForkConversationRequest(name=MESSAGE, all_branches=True, display_name="What if")


async def test_a_conversation_is_deleted(hers: Command, histories: Histories) -> None:
    ran = await hers("conversations", "delete", CONVERSATION)
    assert (ran.code, ran.out, ran.err) == (0, "", "It is deleted.\n")
    assert (await hers("conversations", "delete", CONVERSATION, "--json")).json == {}
    assert histories.requests == [chat_pb2.DeleteConversationRequest(name=CONVERSATION)] * 2


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND"),
            ["scenemesh: There is no such conversation among yours.", "`scenemesh conversations list` shows yours."],
        ),
        (
            Aborted(
                "The character is still answering in this conversation: wait for the end, or stop it.",
                reason="ANSWER_IN_PROGRESS",
            ),
            [
                "scenemesh: The character is still answering in this conversation: wait for the end, or stop it.",
                "Wait until the character has finished, then say it again.",
            ],
        ),
    ],
)
async def test_a_refusal_is_told_with_what_to_do(
    hers: Command, histories: Histories, refusal: MeshError, told: list[str]
) -> None:
    histories.refusal = refusal
    ran = await hers("conversations", "delete", CONVERSATION)
    assert (ran.code, ran.out, ran.err.splitlines()) == (1, "", told)
    as_json = (await hers("conversations", "delete", CONVERSATION, "--json")).json["error"]
    assert (as_json["reason"], as_json["message"]) == (refusal.reason, refusal.message)
