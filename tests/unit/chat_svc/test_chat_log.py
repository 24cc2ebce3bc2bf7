import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.answering.journal import contiguous
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.ending import Broken, Completed, Ending, ended
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode, from_json, model_of, text_of, to_json
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.log import Ended, Event, Started, ended_log, live_event, rest_of_log, spoken
from services.chat_svc.domain.outcome import FinishReason
from tests.unit.chat_svc.messages import ANSWER, QUESTION

SAID = st.builds(Said, st.text(min_size=1, max_size=20))
SEAMS = st.builds(
    Seam, st.just("second"), st.just("third"), st.sampled_from(Fault), st.sampled_from(SeamMode), st.just(1)
)
ENTRIES: st.SearchStrategy[list[Entry]] = st.lists(st.one_of(SAID, SEAMS), max_size=30).map(
    lambda rest: [Began("second"), *rest] if rest else []
)
ENDINGS: st.SearchStrategy[Ending] = st.one_of(
    st.builds(Completed, st.sampled_from(FinishReason)), st.builds(Broken, st.sampled_from(FailureReason))
)


def _finished(*pieces: str) -> Message:
    return ended(ANSWER, [Began("second"), *map(Said, pieces)], Completed(FinishReason.STOP))


def test_a_log_starts_with_its_question_and_model_and_ends_with_the_answer() -> None:
    answer = _finished("Elem", "entary.")
    assert list(ended_log(QUESTION, answer)) == [
        Event(ANSWER.name, 1, Started(QUESTION, "second")),
        Event(ANSWER.name, 2, Said("Elem")),
        Event(ANSWER.name, 3, Said("entary.")),
        Event(ANSWER.name, 4, Ended(answer)),
    ]


@given(ENTRIES, ENDINGS)
def test_a_kept_answer_gives_the_events_that_were_streamed(entries: list[Entry], ending: Ending) -> None:
    live = [live_event(QUESTION, ANSWER, number, entry) for number, entry in enumerate(entries, 1)]
    kept = list(ended_log(QUESTION, ended(ANSWER, entries, ending)))
    assert kept[: len(live)] == live
    assert [event.number for event in kept] == list(range(1, max(1, len(entries)) + 2))


@given(ENTRIES, ENDINGS, st.integers(0, 40))
def test_the_rest_of_a_log_goes_on_behind_any_number(entries: list[Entry], ending: Ending, after: int) -> None:
    answer = ended(ANSWER, entries, ending)
    whole = list(ended_log(QUESTION, answer))
    assert list(rest_of_log(QUESTION, answer, after)) == (
        [event for event in whole if event.number > after] or whole[-1:]
    )


@given(ENTRIES, st.data())
def test_repeated_and_shuffled_batches_make_the_same_log(log: list[Entry], data: st.DataObject) -> None:
    cuts = sorted({0, len(log), *data.draw(st.lists(st.integers(0, len(log)), max_size=4))})
    batches = [(start + 1, log[start:end]) for start, end in itertools.pairwise(cuts) for _ in (1, 2)] + [(1, log)]
    assert contiguous(data.draw(st.permutations(batches))) == log


@given(ENTRIES)
def test_an_entry_is_the_same_wherever_it_is_read(log: list[Entry]) -> None:
    assert [from_json(to_json(entry)) for entry in log] == log


def test_where_another_model_takes_over_the_text_goes_on_or_begins_anew() -> None:
    def seam(mode: SeamMode, kept: int) -> Seam:
        return Seam("first", "second", Fault.CUT, mode, kept)

    begun: list[Entry] = [Began("first"), Said("Elem"), Said("ent ")]
    assert text_of([*begun, seam(SeamMode.CONTINUED, 7), Said("ary.")]) == "Elementary."
    assert text_of([*begun, seam(SeamMode.REPLACED, 0), Said("No.")]) == "No."
    assert (model_of(begun), model_of([*begun, seam(SeamMode.REPLACED, 0)]), model_of([])) == ("first", "second", "")


def test_a_log_ends_at_a_gap() -> None:
    a, b, d = Said("a"), Said("b"), Said("d")
    assert contiguous([(1, [a]), (2, [b]), (4, [d])]) == [a, b]
    assert contiguous([(2, [b])]) == []


def test_what_cannot_be_kept_is_not_said() -> None:
    assert spoken("a\0b\ud83dc") == "ab?c"
