"""Prompts that are more than a model holds: who is asked all the same, and what an answer fails with."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.chat_svc.domain.ending import Completed, estimated_tokens
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import ContextTooLong, Cut, Fault, ModelFault, NotLetIn, RateLimited, Unreachable
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.domain.prompt import least_tokens, prompt
from services.chat_svc.domain.scene import Image, Scene
from services.chat_svc.domain.wording import BEGINNING
from tests.unit.chat_svc.models import model
from tests.unit.chat_svc.scenes import HOLMES, WATSON, Growing, answered, asked
from tests.unit.chat_svc.stage import Stage

STOP = Completed(FinishReason.STOP)
SMALL, LARGE = replace(model("slow"), context_tokens=8_000), model("other", dollars="10")
OTHER = replace(SMALL, id="other")
TOO_LONG = ContextTooLong("HTTP 400")


async def outcome(stage: Stage) -> tuple[list[Entry | Completed], type[ModelFault] | None, list[tuple[str, Fault]]]:
    """What an answer comes to, what it fails with, and how each model failed."""
    speaking, said = stage.speaking(), list[Entry | Completed]()
    try:
        async for entry in speaking.entries():
            said.append(entry)
    except ModelFault as fault:
        failed: type[ModelFault] | None = type(fault)
    else:
        failed = None
    return said, failed, [(one.model, one.fault) for one in speaking.spent.attempts if one.fault]


@pytest.mark.parametrize("models", [[SMALL], [SMALL, OTHER]], ids=["alone", "nobody larger"])
async def test_where_nobody_larger_is_left_the_prompt_is_too_long(models: Sequence[Model]) -> None:
    stage = Stage(models, None)
    stage.providers["slow"].says(TOO_LONG)
    assert await outcome(stage) == ([], ContextTooLong, [("slow", Fault.CONTEXT_TOO_LONG)])


async def test_a_larger_one_answers_what_was_too_long_for_another() -> None:
    stage = Stage([SMALL, LARGE], None)
    stage.providers["slow"].says(TOO_LONG)
    stage.providers["other"].says("Elementary.", STOP)
    said, failed, faults = await outcome(stage)
    assert (said, failed) == ([Began("other"), Said("Elementary."), STOP], None)
    assert faults == [("slow", Fault.CONTEXT_TOO_LONG)]


async def test_what_the_largest_of_all_does_not_hold_is_too_long_whatever_others_failed_with() -> None:
    stage = Stage([SMALL, LARGE], None)
    stage.providers["slow"].says(Cut("cut"))
    stage.providers["other"].says(TOO_LONG)
    assert await outcome(stage) == ([], ContextTooLong, [("slow", Fault.CUT), ("other", Fault.CONTEXT_TOO_LONG)])


async def test_a_larger_one_that_fails_may_hold_it_another_time() -> None:
    stage = Stage([replace(LARGE, id="slow"), OTHER], None)
    stage.providers["slow"].says(NotLetIn("HTTP 401"))
    stage.providers["other"].says(TOO_LONG)
    faults = [("slow", Fault.NOT_LET_IN), ("other", Fault.CONTEXT_TOO_LONG)]
    assert await outcome(stage) == ([], Unreachable, faults)


async def test_a_larger_one_that_rests_may_hold_it_another_time() -> None:
    stage = Stage([SMALL, LARGE], None)
    health = stage.router.health("other")
    health.failed(health.asked(stage.clock()), RateLimited("later", retry_after_seconds=60.0), stage.clock())
    stage.providers["slow"].says(TOO_LONG)
    assert await outcome(stage) == ([], Unreachable, [("slow", Fault.CONTEXT_TOO_LONG)])


def test_the_least_of_a_prompt_is_who_they_are_and_what_is_said_now() -> None:
    picture = Image("image/png", b"", 750_000)
    scene = Scene(HOLMES, (HOLMES,), (answered("word " * 1_000),), "Well? " * 100, (picture,))
    least = least_tokens(scene)
    assert least == prompt(replace(scene, history=()), 100_000).tokens
    assert 1_000 < least - estimated_tokens("Well? " * 100) < 1_200
    assert least_tokens(replace(scene, cast=(HOLMES, WATSON))) > least


def test_an_answer_that_follows_on_another_needs_that_one() -> None:
    scene = Scene(WATSON, (HOLMES, WATSON), (asked("long " * 1_000), answered("word " * 1_000), answered("Yes.")), None)
    assert least_tokens(scene) < 500
    assert least_tokens(replace(scene, history=scene.history[:2])) > 1_250


@pytest.mark.parametrize("seed", range(20))
def test_no_prompt_is_shorter_than_its_least(seed: int) -> None:
    for scene in Growing(seed, (HOLMES, WATSON)).scenes(10):
        # That there was a beginning is said in its stead where it is left out.
        least = least_tokens(scene) - estimated_tokens(BEGINNING)
        assert all(prompt(scene, most).tokens >= least for most in (0, least, 2 * least, 100_000))
