from dataclasses import replace

import pytest

from services.chat_svc.domain.conversation import FailureReason, FinishReason, State, Usage
from services.chat_svc.domain.ending import Broken, Completed, Ending, charge, ended, estimated_tokens
from services.chat_svc.domain.model import ModelBroke, ModelFault, ModelRefused, ModelUnavailable, failure
from tests.unit.chat_svc.messages import ANSWER


@pytest.mark.parametrize(
    ("ending", "with_text", "without_text"),
    [
        (Completed(FinishReason.STOP), 1, 1),
        (Completed(FinishReason.LENGTH), 1, 1),
        (Broken(FailureReason.INTERRUPTED), 1, 0),
        (Broken(FailureReason.MODEL_UNAVAILABLE), 0, 0),
        (Broken(FailureReason.MODEL_CUT), 0, 0),
        (Broken(FailureReason.REFUSED), 0, 0),
    ],
)
def test_only_what_was_finished_or_delivered_by_us_is_charged(
    ending: Ending, with_text: int, without_text: int
) -> None:
    assert (charge(ending, "text"), charge(ending, "")) == (with_text, without_text)


def test_a_finished_answer_has_the_tokens_that_the_model_reported() -> None:
    assert ended(ANSWER, ["second", "Elem", "entary."], Completed(FinishReason.STOP, Usage(12, 3))) == replace(
        ANSWER,
        state=State.COMPLETE,
        text="Elementary.",
        model="second",
        delta_lengths=(4, 7),
        finish=FinishReason.STOP,
        usage=Usage(12, 3),
        charged=1,
    )


def test_an_interrupted_answer_keeps_its_text_and_an_estimate() -> None:
    assert ended(ANSWER, ["second", "Élém"], Broken(FailureReason.INTERRUPTED)) == replace(
        ANSWER,
        state=State.FAILED,
        text="Élém",
        model="second",
        delta_lengths=(4,),
        failure=FailureReason.INTERRUPTED,
        usage=Usage(7, 2, estimated=True),
        charged=1,
    )


def test_an_answer_that_never_began_used_nothing() -> None:
    assert ended(ANSWER, [], Broken(FailureReason.MODEL_UNAVAILABLE)) == replace(
        ANSWER, state=State.FAILED, failure=FailureReason.MODEL_UNAVAILABLE
    )


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        (ModelUnavailable(), FailureReason.MODEL_UNAVAILABLE, FailureReason.MODEL_CUT),
        (ModelBroke(), FailureReason.MODEL_UNAVAILABLE, FailureReason.MODEL_CUT),
        (ModelRefused(), FailureReason.REFUSED, FailureReason.REFUSED),
    ],
)
def test_a_fault_after_the_first_word_is_a_cut(fault: ModelFault, before: FailureReason, after: FailureReason) -> None:
    assert (failure(fault, spoke=False), failure(fault, spoke=True)) == (before, after)


def test_a_token_is_estimated_for_every_four_bytes() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde", "ééé")] == [0, 1, 1, 2, 2]
