import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.conversation import FailureReason, FinishReason, Message
from services.chat_svc.domain.ending import Broken, Completed, Ending, ended
from services.chat_svc.domain.log import (
    Delta,
    Ended,
    Event,
    Started,
    contiguous,
    ended_log,
    live_event,
    rest_of_log,
    spoken,
)
from tests.unit.chat_svc.messages import ANSWER, QUESTION

PIECES = st.lists(st.text(min_size=1, max_size=20), max_size=30)
ENDINGS: st.SearchStrategy[Ending] = st.one_of(
    st.builds(Completed, st.sampled_from(FinishReason)), st.builds(Broken, st.sampled_from(FailureReason))
)


def _finished(*pieces: str) -> Message:
    return ended(ANSWER, ["second", *pieces], Completed(FinishReason.STOP))


def test_a_log_starts_with_its_question_and_model_and_ends_with_the_answer() -> None:
    answer = _finished("Elem", "entary.")
    assert list(ended_log(QUESTION, answer)) == [
        Event(ANSWER.name, 1, Started(QUESTION, "second")),
        Event(ANSWER.name, 2, Delta("Elem")),
        Event(ANSWER.name, 3, Delta("entary.")),
        Event(ANSWER.name, 4, Ended(answer)),
    ]


@given(PIECES, ENDINGS)
def test_a_kept_answer_gives_the_events_that_were_streamed(pieces: list[str], ending: Ending) -> None:
    entries = ["second", *pieces] if pieces else []
    live = [live_event(QUESTION, ANSWER, number, entry) for number, entry in enumerate(entries, 1)]
    kept = list(ended_log(QUESTION, ended(ANSWER, entries, ending)))
    assert kept[: len(live)] == live
    assert [event.number for event in kept] == list(range(1, len(pieces) + 3))


@given(PIECES, ENDINGS, st.integers(0, 40))
def test_the_rest_of_a_log_goes_on_behind_any_number(pieces: list[str], ending: Ending, after: int) -> None:
    answer = ended(ANSWER, ["second", *pieces] if pieces else [], ending)
    whole = list(ended_log(QUESTION, answer))
    assert list(rest_of_log(QUESTION, answer, after)) == (
        [event for event in whole if event.number > after] if after <= len(whole) else whole[-1:]
    )


@given(PIECES, st.data())
def test_repeated_and_shuffled_batches_make_the_same_log(log: list[str], data: st.DataObject) -> None:
    cuts = sorted({0, len(log), *data.draw(st.lists(st.integers(0, len(log)), max_size=4))})
    batches = [(start + 1, log[start:end]) for start, end in itertools.pairwise(cuts) for _ in (1, 2)] + [(1, log)]
    assert contiguous(data.draw(st.permutations(batches))) == log


def test_a_log_ends_at_a_gap() -> None:
    assert contiguous([(1, ["a"]), (2, ["b"]), (4, ["d"])]) == ["a", "b"]
    assert contiguous([(2, ["b"])]) == []


def test_what_cannot_be_kept_is_not_said() -> None:
    assert spoken("a\0b\ud83dc") == "ab?c"
