"""Who speaks in a round of a group."""

from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.estimate import Cost, round_cost
from services.chat_svc.domain.group import Group, TurnOrder, chance, fault_of, mentioned, seeded, speakers

SHERLOCK, WATSON, MYCROFT, JOKER = (
    f"characters/{slug}" for slug in ("sherlock-holmes", "john-watson", "mycroft-holmes", "the-joker")
)
CAST = {SHERLOCK: "Sherlock Holmes", WATSON: "Dr. John Watson", MYCROFT: "Mycroft Holmes", JOKER: "The Joker"}
SILENT = Group(talkativeness=dict.fromkeys(CAST, 0))
TALKATIVE = Group(talkativeness=dict.fromkeys(CAST, 100), answers_max=8)

casts = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True).map(
    lambda letters: {f"characters/{one}": f"{one.upper()}one {one.upper()}two" for one in letters}
)
groups = st.builds(
    Group,
    turn_order=st.sampled_from([TurnOrder.NATURAL, TurnOrder.LIST, TurnOrder.POOLED]),
    talkativeness=st.dictionaries(st.sampled_from([f"characters/{one}" for one in "abcdefgh"]), st.integers(0, 100)),
    answers_max=st.integers(1, 8),
    seed=st.integers(-(2**63), 2**63 - 1),
)
texts = st.text(max_size=60) | st.sampled_from(["Aone, are you there?", "Btwo and then Cone Ctwo"])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Watson, what does Sherlock Holmes say?", [WATSON, SHERLOCK]),
        ("What do you think, john?", [WATSON]),
        ("WATSON! Watson!", [WATSON]),
        ("Holmes!", [SHERLOCK, MYCROFT]),
        ("Mycroft Holmes!", [MYCROFT]),
        ("Is that Mycroft's idea, Sherlock?", [MYCROFT, SHERLOCK]),
        ("The game is on, dr", []),
        ("Where is the Joker?", [JOKER]),
        ("Watsons everywhere", []),
        ("", []),
    ],
)
def test_a_message_names_those_whose_names_or_words_of_names_it_has(text: str, named: list[str]) -> None:
    assert mentioned(CAST, text) == named


def test_names_are_found_whatever_their_case_and_diacritics() -> None:
    cast = {"characters/amelie": "Amélie Poulain", "characters/zoe": "ZOË"}
    assert mentioned(cast, "zoe und AMELIE") == ["characters/zoe", "characters/amelie"]
    assert mentioned(cast, "Ame\u0301lie") == ["characters/amelie"]


def test_in_a_natural_order_those_who_are_named_answer_as_they_are_named() -> None:
    assert speakers(SILENT, CAST, "Watson? Mycroft?", [], Random(1)) == (WATSON, MYCROFT)


def test_after_them_each_answers_who_is_talkative_enough() -> None:
    chosen = speakers(TALKATIVE, CAST, "Watson?", [], Random(1))
    assert (chosen[0], sorted(chosen)) == (WATSON, sorted(CAST))
    assert len(speakers(replace(TALKATIVE, answers_max=2), CAST, "Watson?", [], Random(1))) == 2


def test_somebody_always_answers() -> None:
    assert {len(speakers(SILENT, CAST, "Hello?", [], Random(seed))) for seed in range(20)} == {1}


def test_the_talkative_speak_more_often() -> None:
    group = Group(talkativeness={SHERLOCK: 90, WATSON: 10, MYCROFT: 0, JOKER: 0})
    rounds = [speakers(group, CAST, "Well?", [], Random(seed)) for seed in range(400)]
    count = {one: sum(one in chosen for chosen in rounds) for one in (SHERLOCK, WATSON)}
    assert count[SHERLOCK] > 340
    assert 20 < count[WATSON] < 80


def test_a_list_is_taken_in_the_order_of_the_group() -> None:
    group = Group(TurnOrder.LIST)
    assert speakers(group, CAST, "Joker?", [], Random(1)) == (SHERLOCK, WATSON, MYCROFT)


def test_in_a_pool_nobody_speaks_again_before_all_have_spoken() -> None:
    group = Group(TurnOrder.POOLED, answers_max=3)
    spoken: list[str] = []
    for turn in range(4):
        spoken += speakers(group, CAST, "Well?", spoken, Random(turn))
    assert [sorted(spoken[start : start + 4]) for start in (0, 4, 8)] == [sorted(CAST)] * 3


def test_in_a_manual_order_nobody_answers_of_themselves() -> None:
    assert speakers(Group(TurnOrder.MANUAL), CAST, "Watson?", [], Random(1)) == ()


@pytest.mark.parametrize(
    ("group", "asked", "fault"),
    [
        (Group(), [], ""),
        (Group(), [WATSON, SHERLOCK, WATSON], ""),
        (Group(self_replies=True), [WATSON, WATSON], ""),
        (Group(), [WATSON, WATSON], "has somebody answer themselves, which the group does not let them"),
        (Group(), [WATSON, SHERLOCK] * 2, "names more than answer to one message here, 3"),
        (Group(), ["characters/moriarty"], "names characters/moriarty, who is not in the conversation"),
        (Group(TurnOrder.MANUAL), [], "must say who answers, as the group's turn order is manual"),
        (None, [], ""),
        (None, [SHERLOCK], ""),
        (None, [SHERLOCK, SHERLOCK], "names more than answer to one message here, 1"),
    ],
)
def test_who_is_asked_for_must_be_there_and_be_let_speak(group: Group | None, asked: list[str], fault: str) -> None:
    assert fault_of(group, list(CAST), asked) == fault


@given(groups, casts, texts, st.lists(st.sampled_from([f"characters/{one}" for one in "abcdefgh"])), st.integers(0, 99))
def test_the_same_scene_takes_the_same_turns(
    group: Group, cast: dict[str, str], text: str, spoken: list[str], position: int
) -> None:
    once, again = (speakers(group, cast, text, spoken, chance(group, position)) for _ in range(2))
    assert once == again
    assert 1 <= len(once) <= group.answers_max
    assert len(set(once)) == len(once)
    assert set(once) <= set(cast)


@given(casts, texts, st.integers())
def test_those_who_are_named_come_before_all_others(cast: dict[str, str], text: str, seed: int) -> None:
    named = mentioned(cast, text)
    chosen = speakers(Group(answers_max=8, seed=seed), cast, text, [], chance(Group(seed=seed), 1))
    assert list(chosen[: len(named)]) == named


@given(casts, st.lists(st.integers(1, 8), min_size=1, max_size=12), st.integers())
def test_whatever_the_rounds_a_pool_is_used_up_before_it_is_filled(
    cast: dict[str, str], sizes: list[int], seed: int
) -> None:
    spoken: list[str] = []
    for size in sizes:
        group = Group(TurnOrder.POOLED, answers_max=size, seed=seed)
        spoken += speakers(group, cast, "", spoken, chance(group, len(spoken)))
    cycles = [spoken[start : start + len(cast)] for start in range(0, len(spoken), len(cast))]
    assert all(len(set(cycle)) == len(cycle) for cycle in cycles)


def test_another_seed_or_place_takes_other_turns() -> None:
    group = Group(TurnOrder.LIST, seed=7)
    draws = {chance(group, 1).random(), chance(group, 2).random(), chance(replace(group, seed=8), 1).random()}
    assert len(draws) == 3


def test_a_group_without_a_seed_has_one_of_its_conversations_own() -> None:
    one, other = UUID("6f1d2c3e-0000-4000-8000-000000000001"), UUID("7f1d2c3e-0000-4000-8000-000000000001")
    assert seeded(Group(seed=5), one) == Group(seed=5)
    assert seeded(Group(), one) == seeded(Group(), one) != seeded(Group(), other)
    assert 0 < seeded(Group(), one).seed < 2**63


@pytest.mark.parametrize(
    ("credits_max", "answers", "each", "likely", "maximum"),
    [
        (3, 3, Cost(1, 1, 1), 3, 3),
        (2, 3, Cost(1, 1, 1), 2, 2),
        (3, 2, Cost(1, 1, 4), 2, 3),
        (7, 3, Cost(3, 3, 3), 6, 6),
        (1, 3, Cost(3, 3, 6), 3, 3),
    ],
)
def test_a_round_costs_what_its_answers_do_as_far_as_the_group_lets_it(
    credits_max: int, answers: int, each: Cost, likely: int, maximum: int
) -> None:
    assert round_cost(Group(credits_max=credits_max), answers, each) == Cost(each.price, likely, maximum)
