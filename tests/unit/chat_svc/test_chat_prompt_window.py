"""Budgets: what of a conversation a prompt has room for."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain import window
from services.chat_svc.domain.conversation import Message, Role
from services.chat_svc.domain.ending import estimated_tokens
from services.chat_svc.domain.prompt import Persona, Scene, outgrown, prompt, shares, system_part, was_said
from services.chat_svc.domain.wording import line
from tests.unit.chat_svc.scenes import HOLMES, WATSON, Growing, answered, asked

LIMIT = 2_000
LONG = "word " * 80


def talk(turns: int) -> list[Message]:
    said = [one for turn in range(turns) for one in (asked(f"{turn}? {LONG}"), answered(f"{turn}! {LONG}"))]
    return [replace(one, position=place) for place, one in enumerate(said, 1)]


@given(
    st.integers(0, 10_000),
    st.integers(0, 4_000),
    st.sampled_from(["", "x" * 1_500, "я" * 1_500]),
    st.sampled_from([(HOLMES,), (HOLMES, WATSON)]),
)
def test_a_prompt_fits_unless_what_is_said_alone_does_not(
    seed: int, tokens_max: int, summary: str, cast: tuple[Persona, ...]
) -> None:
    for scene in Growing(seed, cast).scenes(10):
        pinned = [replace(one, pinned=True) for one in scene.history[::3]]
        told = prompt(replace(scene, summary=summary, pinned=pinned), tokens_max)
        last = [one for one in scene.history if was_said(one)][-1:] if scene.text is None else ()
        said = prompt(replace(scene, history=last), tokens_max)
        assert told.tokens <= max(tokens_max, said.tokens)
        assert {told.turns[0].role, told.turns[-1].role} == {Role.USER}
        assert all(one.role is not other.role for one, other in pairwise(told.turns))


def test_where_there_is_no_room_the_system_part_and_the_question_stay() -> None:
    told = prompt(Scene(HOLMES, (HOLMES,), talk(9), "And now?", summary="They met."), 10)
    assert (told.system, [turn.text for turn in told.turns]) == (system_part((HOLMES,)), ["And now?"])


def test_of_a_full_window_the_oldest_are_left_out_whole() -> None:
    told = prompt(Scene(HOLMES, (HOLMES,), talk(12), "And now?"), LIMIT)
    first, *others = [turn.text for turn in told.turns]
    assert first.startswith("[What was said before this is left out.]\n\n")
    kept = [one.text for one in talk(12)]
    assert [first.split("\n\n")[1], *others] == [*kept[-len(others) :], "And now?"]


def test_pinned_messages_that_the_window_leaves_out_stay_within_a_quarter() -> None:
    history = talk(20)
    history[0] = replace(history[0], pinned=True, text="I am afraid of dogs.")
    history[1] = replace(history[1], pinned=True, text="Noted.")
    preface = prompt(Scene(HOLMES, (HOLMES,), history, "And now?"), LIMIT).turns[0].text
    assert "<pinned>\nThe person: I am afraid of dogs.\nSherlock Holmes: Noted.\n</pinned>" in preface


def test_a_long_pin_leaves_room_for_the_others() -> None:
    short = [replace(one, pinned=True, text=f"Short {place}.") for place, one in enumerate(talk(2)[:3])]
    long = replace(talk(4)[3], pinned=True, text="long " * 10_000)
    told = prompt(Scene(HOLMES, (HOLMES,), (), "And now?", pinned=[*short, long]), LIMIT)
    block = told.turns[0].text.split("<pinned>\n")[1].split("\n</pinned>")[0].split("\n")
    assert [one.split(": ", 1)[1] for one in block[:3]] == ["Short 0.", "Short 1.", "Short 2."]
    assert (block[3].split(": ", 1)[1][:5], block[3][-1]) == ("long ", "…")


def test_of_long_pins_no_more_is_cleaned_than_there_can_be_room_for_and_each_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cleaned: list[int] = []

    def counted(text: str) -> str:
        cleaned.append(len(text))
        return line(text)

    monkeypatch.setattr("services.chat_svc.domain.prompt.line", counted)
    pinned = [replace(one, pinned=True, text="я" * 64_000) for one in talk(10)]
    prompt(Scene(HOLMES, (HOLMES,), talk(12), "And now?", pinned=pinned), LIMIT)
    assert len(cleaned) == len(pinned) + 1
    assert sum(cleaned) < len(pinned) * 2 * LIMIT


def test_a_pin_that_begins_with_what_no_reader_sees_is_told() -> None:
    hidden = replace(talk(1)[0], pinned=True, text="\u200b" * 60_000 + "I am afraid of dogs. " * 1_000)
    told = prompt(Scene(HOLMES, (HOLMES,), (), "And now?", pinned=[hidden]), LIMIT)
    block = told.turns[0].text.split("<pinned>\n")[1].split("\n</pinned>")[0]
    assert block.startswith("The person: I am afraid of dogs. I am")
    assert 0.2 * LIMIT < estimated_tokens(block) <= 0.25 * LIMIT


@given(st.lists(st.integers(0, 1_000), max_size=20), st.integers(0, 5_000))
def test_shares_fill_the_room_and_nobody_gets_less_than_one_who_needs_as_much(sizes: list[int], room: int) -> None:
    got = shares(sizes, room)
    assert all(0 <= one <= size for one, size in zip(got, sizes, strict=True))
    assert min(sum(sizes), room) - len(sizes) < sum(got) <= room or sizes == []
    cut = [one for one, size in zip(got, sizes, strict=True) if one < size]
    assert not cut or max(got) - min(cut) <= 1


def test_of_too_many_pins_the_newest_stay() -> None:
    pinned = [replace(one, pinned=True) for one in talk(10)]
    told = prompt(Scene(HOLMES, (HOLMES,), (), "And now?", pinned=pinned), LIMIT)
    block = told.turns[0].text.split("<pinned>\n")[1].split("\n</pinned>")[0]
    kept = [line.split(": ", 1)[1][:2] for line in block.split("\n")]
    assert kept == [one.text[:2] for one in pinned][-len(kept) :]
    assert block.split("\n")[0].endswith("…")
    assert 0.2 * LIMIT < estimated_tokens(block) <= 0.25 * LIMIT


def test_a_summary_has_a_tenth_of_the_room() -> None:
    told = prompt(Scene(HOLMES, (HOLMES,), (), "And now?", summary="я" * 1_500), LIMIT)
    summary = told.turns[0].text.split("<summary>")[1].split("</summary>")[0]
    assert summary.endswith("…")
    assert 0.08 * LIMIT < estimated_tokens(summary) <= 0.1 * LIMIT


def test_older_turns_are_summarised_before_there_is_no_room_for_them() -> None:
    """And what is left then is what the window would have kept: the prompts' beginning changes once, not twice."""
    counts = [len(outgrown(Scene(HOLMES, (HOLMES,), talk(turns), None), LIMIT, 100_000)) for turns in range(12)]
    nearly = next(turns for turns, count in enumerate(counts) if count)
    assert "left out" not in prompt(Scene(HOLMES, (HOLMES,), talk(nearly), None), LIMIT).turns[0].text
    rest = talk(nearly)[counts[nearly] :]
    assert prompt(Scene(HOLMES, (HOLMES,), rest, None, summary="They met."), LIMIT).tokens < 0.8 * LIMIT
    assert outgrown(Scene(HOLMES, (HOLMES,), rest, None), LIMIT, 100_000) == []


def test_one_summary_takes_no_more_than_it_is_given() -> None:
    history = talk(100)
    taken = outgrown(Scene(HOLMES, (HOLMES,), history, None), LIMIT, 1_000)
    assert taken == history[: len(taken)]
    assert 800 < sum(estimated_tokens(one.text) for one in taken) <= 1_000


@given(st.lists(st.integers(1, 90), min_size=1, max_size=80), st.integers(100, 400))
def test_the_window_is_never_too_full_nor_moved_back(sizes: list[int], room: int) -> None:
    begins = [window.beginning(sizes[:count], room, lambda _: 0) for count in range(1, len(sizes) + 1)]
    assert begins == sorted(begins)
    assert all(sum(sizes[begin : count + 1]) <= room for count, begin in enumerate(begins))


def test_a_history_that_was_cut_at_any_place_begins_at_the_same_one_for_long() -> None:
    random = Random(3)
    positions = sorted(random.sample(range(1, 30_000), 9_000))
    begins = [
        positions[count + window.anchor(positions[count : count + 2_000])] for count in range(len(positions) - 2_000)
    ]
    assert begins == sorted(begins)
    assert len(set(begins)) < 40
    assert window.anchor([]) == 0
