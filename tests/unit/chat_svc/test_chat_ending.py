from dataclasses import replace

import pytest

from services.chat_svc.domain.conversation import State
from services.chat_svc.domain.ending import Broken, Completed, Ending, charge, ended, estimated_tokens, paid
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode
from services.chat_svc.domain.fault import Cut, FailureReason, Fault, ModelFault, Overloaded, Refused, failure
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent, Usage
from tests.unit.chat_svc.messages import ANSWER


@pytest.mark.parametrize(
    ("ending", "with_text", "without_text"),
    [
        (Completed(FinishReason.STOP), 1, 0),
        (Completed(FinishReason.LENGTH), 1, 0),
        (Completed(FinishReason.STOPPED), 1, 0),
        (Completed(FinishReason.QUOTA), 1, 0),
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
    assert ended(
        ANSWER, [Began("second"), Said("Elem"), Said("entary.")], Completed(FinishReason.STOP, Usage(12, 3))
    ) == replace(
        ANSWER,
        state=State.COMPLETE,
        text="Elementary.",
        model="second",
        log=(Began("second"), Said("Elem"), Said("entary.")),
        spent=Spent((Attempt("second", usage=Usage(12, 3)),)),
        finish=FinishReason.STOP,
        usage=Usage(12, 3),
        charged=1,
    )


def test_an_interrupted_answer_keeps_its_text_and_an_estimate() -> None:
    assert ended(ANSWER, [Began("second"), Said("Élém")], Broken(FailureReason.INTERRUPTED)) == replace(
        ANSWER,
        state=State.FAILED,
        text="Élém",
        model="second",
        log=(Began("second"), Said("Élém")),
        spent=Spent((Attempt("second"),)),
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
        (Overloaded("busy"), FailureReason.MODEL_UNAVAILABLE, FailureReason.MODEL_CUT),
        (Cut("cut"), FailureReason.MODEL_UNAVAILABLE, FailureReason.MODEL_CUT),
        (Refused("no"), FailureReason.REFUSED, FailureReason.REFUSED),
    ],
)
def test_a_fault_after_the_first_word_is_a_cut(fault: ModelFault, before: FailureReason, after: FailureReason) -> None:
    assert (failure(fault, spoke=False), failure(fault, spoke=True)) == (before, after)


def test_what_a_log_tells_of_the_models_that_failed_is_kept_where_nothing_else_is() -> None:
    seam = Seam("first", "second", Fault.STALLED, SeamMode.REPLACED, 0)
    answer = ended(ANSWER, [Began("first"), Said("El"), seam, Said("No.")], Broken(FailureReason.INTERRUPTED))
    assert (answer.text, answer.model) == ("No.", "second")
    assert answer.spent == Spent((Attempt("first", Fault.STALLED), Attempt("second")))


def test_the_model_that_was_stopped_is_among_those_that_were_asked() -> None:
    log: list[Entry] = [Began("first"), Said("El")]
    failed = Attempt("zero", Fault.OVERLOADED)
    for ending, expected in (
        (Completed(FinishReason.STOPPED), (failed, Attempt("first"))),
        (Broken(FailureReason.INTERRUPTED), (failed, Attempt("first"))),
        (Broken(FailureReason.MODEL_CUT), (failed,)),
    ):
        assert ended(ANSWER, log, ending, Spent((failed,))).spent.attempts == expected


def test_a_longer_answer_costs_more_turns_and_nothing_costs_none() -> None:
    dear = replace(ANSWER, state=State.COMPLETE, charged=3)
    assert (paid(dear, 2).charged, paid(replace(dear, charged=0), 2).charged) == (6, 0)


def test_an_interrupted_answer_costs_one_turn_however_long_it_is() -> None:
    interrupted = ended(replace(ANSWER, price=3), [Began("m"), Said("El")], Broken(FailureReason.INTERRUPTED))
    assert paid(interrupted, 4).charged == 3


def test_a_token_is_estimated_for_every_four_bytes() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde", "ééé")] == [0, 1, 1, 2, 2]
