from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.chat_svc.archive import ours
from services.chat_svc.archive.printing import Sheet
from services.chat_svc.archive.readable import markdown, plain, sheet
from services.chat_svc.archive.story import Story
from services.chat_svc.archive.writing import written
from services.chat_svc.domain.conversation import Conversation, Message, Reaction, Role, State
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.outcome import FinishReason

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = UUID(int=1)
HOLMES = "characters/sherlock-holmes"
NAMES = {HOLMES: "Sherlock *Holmes*"}
QUESTION = Message("alice", HERE, UUID(int=2), 1, Role.USER, "Who are you?\n# Say!", State.COMPLETE, NOON)
ANSWER = Message(
    "alice",
    HERE,
    UUID(int=3),
    2,
    Role.CHARACTER,
    "# I am *Holmes*.\n<script>",
    State.COMPLETE,
    NOON,
    parent=QUESTION.id,
    character=HOLMES,
    pinned=True,
    reaction=Reaction.LIKE,
    edited_at=NOON,
    model="claude",
    finish=FinishReason.LENGTH,
)
CUT = replace(
    ANSWER,
    id=UUID(int=4),
    position=3,
    text="I a",
    state=State.FAILED,
    finish=None,
    failure=FailureReason.MODEL_CUT,
    pinned=False,
)
TALK = Conversation(
    "alice",
    HERE,
    HOLMES,
    "A [talk]",
    3,
    NOON,
    NOON,
    others=("characters/john-watson",),
    group=Group(TurnOrder.POOLED, {HOLMES: 70}, 2, 5, self_replies=True, pause_seconds=1, seed=7),
    archived=True,
    current=ANSWER.id,
    summary="They met.",
    summary_until=QUESTION.id,
    titled=False,
)


def test_our_own_file_tells_everything_again() -> None:
    (told,) = ours.read(written(TALK, [QUESTION, ANSWER, CUT]))
    assert isinstance(told, Story)
    assert (told.title, told.character, told.others, told.group) == (
        TALK.display_name,
        TALK.character,
        TALK.others,
        TALK.group,
    )
    assert (told.archived, told.titled, told.created_at, told.current) == (True, False, NOON, str(ANSWER.id))
    assert (told.summary, told.summary_until) == ("They met.", str(QUESTION.id))
    for line, message in zip(told.lines, [QUESTION, ANSWER, CUT], strict=True):
        parent = str(message.parent) if message.parent else None
        assert (line.key, line.parent, line.by_person) == (str(message.id), parent, message.role is Role.USER)
        assert (line.text, line.at, line.character, line.model) == (
            message.text,
            message.created_at,
            message.character,
            message.model,
        )
        assert (line.state, line.finish, line.failure) == (message.state, message.finish, message.failure)
        assert (line.pinned, line.reaction, line.edited_at) == (message.pinned, message.reaction, message.edited_at)


def test_markdown_keeps_emphasis_and_makes_no_headings_of_what_was_said() -> None:
    assert markdown(TALK, [QUESTION, ANSWER, CUT], NAMES).decode() == (
        "# A \\[talk\\]\n\n*2026-11-21 12:00 UTC*\n\n"
        "**You**\n\nWho are you?\n\\# Say!\n\n"
        "**Sherlock \\*Holmes\\*** 📌\n\n\\# I am *Holmes*.\n\\<script>\n\n"
        "**Sherlock \\*Holmes\\***\n\nI a […]\n"
    )


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("\n \n# Say!", "\n \n\\# Say!"),
        ("Who?\r# Say!\r\n \t## Now!", "Who?\r\\# Say!\r\n \t\\## Now!"),
        ("\x0b# Say!\n\x85# Now!", "\x0b\\# Say!\n\x85\\# Now!"),
        ("Who?\n#", "Who?\n\\#"),
        ("#who #now # then", "#who #now # then"),
    ],
)
def test_no_line_of_what_was_said_is_a_heading(said: str, written: str) -> None:
    file = markdown(TALK, [replace(QUESTION, text=said)], NAMES).decode()
    assert file.partition("**You**\n\n")[2] == f"{written}\n"


@pytest.mark.parametrize("said", ["\n", "\r", "\r\n", " ", "\x0b", "#", "\n#", "# "])
def test_a_text_of_a_million_lines_is_written_to_its_end(said: str) -> None:
    """Which what looks at the lines behind each of them does not come to."""
    file = markdown(TALK, [replace(QUESTION, text=said * 1_000_000 + "!")], NAMES).decode()
    assert len(file) >= len(said) * 1_000_000


def test_plain_text_has_no_markup() -> None:
    assert plain(TALK, [QUESTION, CUT], NAMES).decode() == (
        "A [talk]\n2026-11-21 12:00 UTC\n\nYou:\nWho are you?\n# Say!\n\nSherlock *Holmes*:\nI a […]\n"
    )


def test_what_is_to_be_printed_says_who_says_it_and_where_it_was_cut() -> None:
    assert sheet(TALK, [QUESTION, CUT], NAMES) == Sheet(
        "A [talk]", "2026-11-21 12:00 UTC", [("You", "Who are you?\n# Say!"), ("Sherlock *Holmes*", "I a […]")]
    )
