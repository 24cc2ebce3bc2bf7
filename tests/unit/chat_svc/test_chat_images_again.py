"""Images of earlier turns leave the prompt several at a time: in between, prompts share all but their end."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.prompt import Prompt, Scene, prompt
from services.chat_svc.domain.scene import AGAIN, LEAVING, Image, shown_again
from tests.unit.chat_svc.scenes import HOLMES, answered, asked

Talk = tuple[Message, ...]


def grown(counts: Sequence[int]) -> list[Talk]:
    """What was said before each turn of the person's, who shows so many images in it."""
    said: list[Message] = []
    talks: list[Talk] = []
    for turn, count in enumerate(counts):
        shown = tuple(UUID(int=100 * turn + place) for place in range(1, count + 1))
        said += (replace(asked(f"{turn}?"), media=shown), answered(f"{turn}!"))
        talks.append(tuple(said))
    return talks


def rendered(told: Prompt) -> list[tuple[str, bytes]]:
    """The turns with their images, without what is said now."""
    return [(turn.text, b"".join(image.content for image in turn.images)) for turn in told.turns[:-1]]


def told(history: Talk) -> Prompt:
    again = {one: Image("image/png", one.bytes) for one in shown_again(history)}
    return prompt(Scene(HOLMES, (HOLMES,), history, "And now?", shown=again), 100_000)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30))
def test_a_prompt_loses_earlier_images_once_for_several_that_come(counts: list[int]) -> None:
    talks = grown(counts)
    breaks = sum(rendered(told(after))[: len(before)] != rendered(told(before)) for before, after in pairwise(talks))
    assert breaks <= max(0, sum(counts) - AGAIN) // LEAVING


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_never_too_many_earlier_images_are_shown_and_always_the_newest(counts: list[int]) -> None:
    for talk in grown(counts):
        ids = [one for message in talk for one in message.media]
        again = list(shown_again(talk))
        assert again == ids[len(ids) - len(again) :]
        assert min(len(ids), AGAIN) <= len(again) < AGAIN + LEAVING


def test_with_an_image_in_every_turn_every_other_prompt_begins_as_the_one_before() -> None:
    begins = [shown_again(talk)[0].int // 100 for talk in grown([1] * 10)]
    assert begins == [0, 0, 0, 0, 0, 2, 2, 4, 4, 6]
