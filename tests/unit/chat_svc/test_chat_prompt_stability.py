"""Providers keep what two prompts share from the beginning: a change that breaks it fails here."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.prompt import Persona, Prompt, Scene, prompt
from services.chat_svc.domain.wording import GO_ON, labels, suffix
from tests.unit.chat_svc.messages import QUESTION
from tests.unit.chat_svc.scenes import HOLMES, HUDSON, WATSON, Growing

CASTS = ((HOLMES,), (HOLMES, WATSON), (HOLMES, WATSON, HUDSON))
SIDES = {Role.USER: "\x01", Role.CHARACTER: "\x02"}
SUMMARY = "They met in Baker Street and speak of a hound."


def rendered(told: Prompt) -> str:
    """The prompt as providers see it: one text, in which every turn begins with a mark."""
    return told.system + "".join(f"{SIDES[turn.role]}{turn.text}" for turn in told.turns)


def stable(told: Prompt, scene: Scene) -> str:
    """The same without who speaks now."""
    called = labels(scene.cast)
    end = suffix(called[scene.speaker.character]) if len(scene.cast) > 1 else GO_ON
    return rendered(told).removesuffix(end).removesuffix("\n\n").removesuffix(SIDES[Role.USER])


def grows(before: Scene, after: Scene) -> bool:
    """Whether the one scene is the other one, with more said: not where the end was taken back, or something pinned."""
    said = before.history
    return after.history[: len(said)] == said and (
        before.text is None or [one.text for one in after.history[len(said) :]][:1] == [before.text]
    )


@given(st.integers(0, 10_000), st.sampled_from(CASTS), st.sampled_from(["", SUMMARY]))
def test_the_next_prompt_begins_with_this_one_up_to_who_speaks(
    seed: int, cast: tuple[Persona, ...], summary: str
) -> None:
    pinned = (replace(QUESTION, pinned=True),)
    scenes = [replace(one, summary=summary, pinned=pinned) for one in Growing(seed, cast).scenes(12)]
    for before, after in pairwise(scenes):
        if grows(before, after):
            assert rendered(prompt(after, 100_000)).startswith(stable(prompt(before, 100_000), before))


@given(st.integers(0, 10_000), st.sampled_from(CASTS))
def test_what_stays_is_shared_too_when_the_end_is_said_anew(seed: int, cast: tuple[Persona, ...]) -> None:
    *_, scene = Growing(seed, cast).scenes(8)
    anew = replace(scene, history=scene.history[:-2], text="Said anew.")
    common = replace(scene, history=scene.history[:-2], text=None)
    assert rendered(prompt(anew, 100_000)).startswith(stable(prompt(common, 100_000), common))


@given(st.integers(0, 10_000), st.sampled_from(CASTS))
def test_pins_that_the_window_holds_change_nothing(seed: int, cast: tuple[Persona, ...]) -> None:
    *_, scene = Growing(seed, cast).scenes(8)
    unpinned = replace(scene, history=[replace(one, pinned=False) for one in scene.history])
    assert prompt(scene, 100_000) == prompt(unpinned, 100_000)


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("summary", ["", SUMMARY])
def test_a_full_window_begins_anew_seldom_and_then_has_room(cast: tuple[Persona, ...], summary: str) -> None:
    """A window that lost a message a turn would begin anew in nearly all of these."""
    breaks, turns, limit = 0, 0, 3_000
    for before, after in pairwise(replace(one, summary=summary) for one in Growing(7, cast).scenes(60)):
        if not grows(before, after):
            continue
        turns += 1
        told = prompt(after, limit)
        if not rendered(told).startswith(stable(prompt(before, limit), before)):
            breaks += 1
            assert told.tokens < limit * 0.8
    assert turns > 40
    assert 0 < breaks < turns / 6


@given(st.integers(0, 10_000), st.integers(1_000, 6_000), st.sampled_from(CASTS))
def test_where_the_window_begins_follows_from_the_history_alone(
    seed: int, limit: int, cast: tuple[Persona, ...]
) -> None:
    *_, scene = Growing(seed, cast).scenes(20)
    copied = replace(scene, history=[replace(one) for one in scene.history])
    assert prompt(copied, limit) == prompt(scene, limit)
