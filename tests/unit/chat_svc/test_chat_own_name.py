"""The name that a model sets before what its character says."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.chat_svc.answering.speech import Speaking
from services.chat_svc.domain.ending import Completed, ended
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode, text_of
from services.chat_svc.domain.fault import Cut, Fault
from services.chat_svc.domain.model import Capability
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.own_name import (
    MARKS_MAX,
    SPACES_BEFORE_MAX,
    SPACES_BEHIND_MAX,
    SPACES_BETWEEN_MAX,
    Unnamed,
    own_names,
)
from services.chat_svc.domain.prompt import Persona
from tests.unit.chat_svc.messages import ANSWER
from tests.unit.chat_svc.models import model
from tests.unit.chat_svc.scenes import HOLMES, HUDSON, WATSON
from tests.unit.chat_svc.stage import Stage

NAMES = ("Sherlock Holmes", "Sherlock", "Holmes")
MYCROFT = Persona("Mycroft Holmes", "Sherlock", "", "characters/mycroft-holmes")
STOP = Completed(FinishReason.STOP)
CLAUDE, GPT = model("claude"), model("gpt")

# Texts that are, or nearly are, a name and what follows it.
BEGINNINGS = st.lists(
    st.sampled_from(
        ["Sherlock", "Holmes", "Sherlock Holmes", "sher", "S", "*", "**", "_", ":", "\uff1a", " ", "\n", "a"]
    ),
    max_size=8,
).map("".join)
TEXTS = st.builds(str.__add__, BEGINNINGS, st.text(max_size=8))
# Beside the name, as much as may be held back.
HELD_BACK_MAX = SPACES_BEFORE_MAX + 2 * MARKS_MAX + SPACES_BETWEEN_MAX + 1 + SPACES_BEHIND_MAX


def shown(pieces: Sequence[str], names: Sequence[str] = NAMES) -> list[str]:
    """What is shown once each piece has come, and in the end."""
    text = Unnamed(names)
    return [*(text.shown(piece) for piece in pieces), text.rest()]


def pieces_of(text: str, cuts: Sequence[int]) -> list[str]:
    """The text in pieces, none of them empty."""
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    return [text[begin:end] for begin, end in pairwise(places)]


@pytest.mark.parametrize(
    "before",
    [
        "Sherlock Holmes: ",
        "Sherlock: ",
        "Holmes:",
        "SHERLOCK HOLMES:\n",
        "**Sherlock:** ",
        "**Sherlock Holmes**: ",
        "*Sherlock* : ",
        "_Holmes:_ ",
        "\n Sherlock\uff1a ",
    ],
)
@pytest.mark.parametrize("text", ["Elementary.", "*smiles* Elementary.", "Sherlock: that is I."])
def test_a_name_before_what_is_said_is_no_part_of_it(before: str, text: str) -> None:
    said = Unnamed(NAMES)
    assert (said.shown(before + text), said.dropped, said.rest()) == (text, before, "")


@pytest.mark.parametrize(
    "text",
    [
        "Sherlock Holmes",
        "Sherlock Holmes:",
        "**Sherlock:** ",
        "Sherlock Holmes is my name.",
        "Sherlocks: two of them.",
        "Watson: come here!",
        "**Sherlock: I mean it.**",
        "I am Sherlock: a detective.",
        "Sherlock:" + " " * 5 + "far away",
        "",
        ": hm",
        "**",
    ],
)
def test_what_is_no_name_before_a_text_stays(text: str) -> None:
    assert "".join(shown([text])) == text


def test_a_text_that_is_no_name_is_shown_at_once() -> None:
    assert shown(["E", "lementary"]) == ["E", "lementary", ""]
    assert shown(["Sher", "pa: ", "a guide"]) == ["", "Sherpa: ", "a guide", ""]
    assert shown(["Sherlock", ": ", "No"]) == ["", "", "No", ""]
    assert shown(["*", "smiles", "*"]) == ["", "*smiles", "*", ""]


def test_without_a_name_every_piece_is_shown_as_it_comes() -> None:
    assert shown(["Sherlock", ": ", "No"], ()) == ["Sherlock", ": ", "No", ""]


@given(TEXTS, st.lists(st.integers(0, 60)))
@example("**Sherlock:** a", [1, 2, 3, 11])
def test_a_text_is_shown_the_same_in_whatever_pieces_it_comes(text: str, cuts: list[int]) -> None:
    whole = "".join(shown([text]))
    assert "".join(shown(pieces_of(text, cuts))) == whole
    assert text.endswith(whole)
    assert (whole == "") == (text == "")


@given(TEXTS)
def test_no_more_is_held_back_than_a_name_and_a_few_characters(text: str) -> None:
    said, held, longest = Unnamed(NAMES), "", max(map(len, NAMES))
    for letter in text:
        held = "" if said.shown(letter) else held + letter
        if said.dropped:
            break
        assert len(held) <= longest + HELD_BACK_MAX


@given(TEXTS)
def test_what_is_shown_and_what_is_not_are_all_that_was_said(text: str) -> None:
    said = Unnamed(NAMES)
    after = said.shown(text) + said.rest()
    assert said.dropped + after == text


def test_a_character_is_called_by_the_words_of_the_name_that_are_no_others() -> None:
    assert own_names(HOLMES, (HOLMES,)) == NAMES
    assert own_names(HOLMES, (HOLMES, WATSON, MYCROFT)) == ("Sherlock Holmes", "Sherlock")
    assert own_names(HUDSON, (HUDSON, HOLMES)) == ("Mrs Hudson", "Hudson")
    assert own_names(Persona("", "", ""), ()) == ()
    older = replace(HOLMES, title="Elementary", character="characters/sherlock")
    assert own_names(older, (HOLMES, older)) == ("Sherlock Holmes", "Sherlock Holmes (Elementary)")


async def entries(speaking: Speaking) -> list[Entry | Completed]:
    return [entry async for entry in speaking.entries()]


def speaking(stage: Stage) -> Speaking:
    found = stage.speaking(CLAUDE.id)
    found._draft = replace(found._draft, scene=replace(found._draft.scene, speaker=HOLMES, cast=(HOLMES,)))
    return found


async def test_an_answer_goes_without_the_name_and_counts_with_it() -> None:
    stage = Stage([CLAUDE], None)
    stage.providers["claude"].says("**Sher", "lock:** ", "Elementary", ".", STOP)
    making = speaking(stage)
    *log, end = await entries(making)
    assert (log, end) == ([Began("claude"), Said("Elementary"), Said(".")], STOP)
    assert making.spent.unshown == "**Sherlock:** "
    answer = ended(ANSWER, [one for one in log if not isinstance(one, Completed)], STOP, making.spent)
    assert (answer.text, answer.usage) == ("Elementary.", Usage(ANSWER.prompt_tokens, 7, estimated=True))


async def test_an_answer_that_is_the_name_stays() -> None:
    stage = Stage([CLAUDE], None)
    stage.providers["claude"].says("Sherlock", " Holmes", STOP)
    assert await entries(speaking(stage)) == [Began("claude"), Said("Sherlock Holmes"), STOP]


@pytest.mark.parametrize(
    ("prefill", "mode", "kept", "text"),
    [
        (True, SeamMode.CONTINUED, 9, "They callSherlock: he said."),
        (False, SeamMode.REPLACED, 0, "he said."),
    ],
)
async def test_a_text_that_goes_on_keeps_the_names_in_its_middle(
    prefill: bool, mode: SeamMode, kept: int, text: str
) -> None:
    other = replace(GPT, capabilities=frozenset({Capability.PREFILL}) if prefill else frozenset())
    stage = Stage([CLAUDE, other], None)
    stage.providers["claude"].says("Sherlock: They call", Cut("away"))
    stage.providers[other.id].says("Sherlock: he said.", STOP)
    *log, end = await entries(speaking(stage))
    said = [one for one in log if not isinstance(one, Completed)]
    assert said[2] == Seam("claude", other.id, Fault.CUT, mode, kept)
    assert (text_of(said), end) == (text, STOP)


async def test_a_beginning_that_may_be_the_name_is_gone_with_its_model() -> None:
    other = replace(GPT, capabilities=frozenset({Capability.PREFILL}))
    stage = Stage([CLAUDE, other], None)
    stage.providers["claude"].says("Sherl", Cut("away"))
    stage.providers[other.id].says("Sherlock: Elementary.", STOP)
    seam = Seam("claude", other.id, Fault.CUT, SeamMode.REPLACED, 0)
    assert await entries(speaking(stage)) == [Began("claude"), seam, Said("Elementary."), STOP]
