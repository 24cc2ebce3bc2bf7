from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from runtime.errors import InvalidArgument
from services.chat_svc.domain.changes import ConversationChange, changed, edited
from services.chat_svc.domain.conversation import Conversation, State
from services.chat_svc.domain.entry import Began, Said, Seam, SeamMode
from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.forking import Fork, copy_id, fork_id, forked
from services.chat_svc.domain.group import Group
from services.chat_svc.domain.log import Ended, Started, ended_log
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.domain.routing import Decision
from tests.unit.chat_svc.messages import ANSWER, CONVERSATION, NOW, QUESTION

LATER = NOW + timedelta(hours=1)
SHERLOCK = Conversation("alice", CONVERSATION, "characters/sherlock-holmes", "Sherlock Holmes", 2, NOW, NOW)
BOTH = replace(SHERLOCK, others=("characters/watson",), group=Group())


def test_an_empty_title_gives_the_characters_names_back() -> None:
    titled = changed(SHERLOCK, ConversationChange(display_name="Baker Street"), "Sherlock Holmes")
    assert (titled.display_name, titled.titled) == ("Baker Street", True)
    untitled = changed(titled, ConversationChange(display_name=""), "Sherlock Holmes")
    assert (untitled.display_name, untitled.titled) == ("Sherlock Holmes", False)


def test_a_change_of_nothing_changes_nothing() -> None:
    assert changed(BOTH, ConversationChange(), "") == BOTH


def test_only_a_group_takes_turns() -> None:
    wanted = Group(answers_max=2, seed=7)
    assert changed(BOTH, ConversationChange(group=wanted), "") == replace(BOTH, group=wanted)
    with pytest.raises(InvalidArgument) as caught:
        changed(SHERLOCK, ConversationChange(group=wanted), "")
    assert [one.field for one in caught.value.violations] == ["update_mask"]


def test_the_log_of_an_edited_answer_says_it_in_one_piece_and_why_that_model() -> None:
    decision = Decision(())
    seam = Seam("first", "second", Fault.CUT, SeamMode.CONTINUED, 4)
    answer = replace(
        ANSWER,
        text="Elementary.",
        model="second",
        state=State.COMPLETE,
        finish=FinishReason.STOP,
        log=(Began("first", decision), Said("Elem"), seam, Said("entary.")),
    )
    after = edited(answer, "Not so.", LATER)
    assert after == replace(answer, text="Not so.", edited_at=LATER, log=(Began("second", decision), Said("Not so.")))
    assert [event.what for event in ended_log(QUESTION, after)] == [
        Started(QUESTION, "second", decision),
        Said("Not so."),
        Ended(after),
    ]


def test_a_persons_message_has_no_log_and_a_limit() -> None:
    assert edited(QUESTION, "Who?", LATER) == replace(QUESTION, text="Who?", edited_at=LATER)
    assert edited(QUESTION, "x" * 8_000, LATER).text == "x" * 8_000
    for text in ("", "x" * 8_001):
        with pytest.raises(InvalidArgument):
            edited(QUESTION, text, LATER)


def test_a_fork_of_a_retry_has_the_same_id() -> None:
    random, other = UUID(int=1), UUID(int=2)
    assert fork_id(CONVERSATION, "AB", random) == fork_id(CONVERSATION, "ab", other)
    assert fork_id(CONVERSATION, "ab", random) != fork_id(other, "ab", random)
    assert fork_id(CONVERSATION, "", random) == random


def test_a_fork_takes_the_summary_along_where_it_has_all_that_it_covers() -> None:
    source = replace(
        SHERLOCK, summary="So far.", summary_until=QUESTION.id, current=ANSWER.id, archived=True, token_count=99
    )
    fork = Fork(UUID(int=1), QUESTION.id, all_branches=False, display_name="", at=LATER)
    taken = forked(source, fork, frozenset({QUESTION.id}), 5)
    assert taken == replace(
        SHERLOCK,
        id=fork.id,
        message_count=1,
        created_at=LATER,
        updated_at=LATER,
        current=copy_id(fork.id, QUESTION.id),
        summary="So far.",
        summary_until=copy_id(fork.id, QUESTION.id),
        forked_from=CONVERSATION,
        token_count=5,
    )
    elsewhere = forked(source, fork, frozenset({ANSWER.id}), 5)
    assert (elsewhere.summary, elsewhere.summary_until) == ("", None)
