from dataclasses import replace
from decimal import Decimal

import pytest

from services.chat_svc.domain.conversation import State
from services.chat_svc.domain.ending import (
    Broken,
    Completed,
    Ending,
    charge,
    charged_tokens,
    ended,
    estimated_tokens,
    paid,
)
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode
from services.chat_svc.domain.fault import Cut, FailureReason, Fault, ModelFault, Overloaded, Refused, failure
from services.chat_svc.domain.model import Prices
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
        (Broken(FailureReason.PROMPT_TOO_LONG), 0, 0),
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
    assert (charged_tokens(interrupted), paid(interrupted, 4).charged) == (0, 3)


def test_an_answer_is_charged_by_what_its_model_told_and_what_costs_nothing_by_nothing() -> None:
    answer = ended(ANSWER, [Began("m"), Said("Elementary.")], Completed(FinishReason.STOP, Usage(12, 300)))
    empty = ended(ANSWER, [], Completed(FinishReason.STOPPED))
    assert [charged_tokens(one) for one in (answer, replace(answer, charged=0), empty)] == [300, 0, 0]


def test_a_token_is_estimated_for_every_four_bytes() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde", "ééé")] == [0, 1, 1, 2, 2]


DEAR = {"first": Prices(Decimal(1_000_000), output=Decimal(10_000_000)), "second": Prices(output=Decimal(100_000_000))}
SEAM = Seam("first", "second", Fault.CUT, SeamMode.CONTINUED, 5)


@pytest.mark.parametrize(
    ("ending", "usage", "dollars"),
    [
        # Seven tokens of prompt and two of text each; those of the second one are told in the last line.
        (Completed(FinishReason.QUOTA), Usage(14, 4, estimated=True), 7 + 2 * 10 + 2 * 100),
        (Completed(FinishReason.STOPPED), Usage(14, 4, estimated=True), 7 + 2 * 10 + 2 * 100),
        (Broken(FailureReason.INTERRUPTED), Usage(14, 4, estimated=True), 7 + 2 * 10 + 2 * 100),
        (Completed(FinishReason.STOP, Usage(30, 3, False, 20)), Usage(37, 5, True, 20), 7 + 2 * 10 + 3 * 100),
    ],
)
def test_an_answer_takes_what_all_took_whose_text_it_shows(ending: Ending, usage: Usage, dollars: int) -> None:
    log: list[Entry] = [Began("first"), Said("Eleme "), SEAM, Said("ntary.")]
    answer = ended(ANSWER, log, ending, prices=DEAR)
    assert (answer.text, answer.usage, answer.spent.cost) == ("Elementary.", usage, Decimal(dollars))


def test_what_was_replaced_is_no_part_of_what_an_answer_takes() -> None:
    log: list[Entry] = [Began("first"), Said("Elem"), replace(SEAM, mode=SeamMode.REPLACED, kept=0), Said("No.")]
    answer = ended(ANSWER, log, Completed(FinishReason.STOP, Usage(30, 3)), prices=DEAR)
    assert (answer.usage, answer.spent.cost) == (Usage(30, 3), Decimal(300))


def test_what_two_models_said_is_cut_where_the_third_goes_on() -> None:
    third = Seam("second", "first", Fault.CUT, SeamMode.CONTINUED, 3)
    log: list[Entry] = [Began("first"), Said("Eleme"), SEAM, Said("ntary"), third, Said("phant.")]
    answer = ended(ANSWER, log, Broken(FailureReason.MODEL_CUT), prices=DEAR)
    assert (answer.text, answer.usage) == ("Elephant.", Usage(14, 3, estimated=True))
    assert answer.spent.cost == Decimal(14 + 3 * 10)
