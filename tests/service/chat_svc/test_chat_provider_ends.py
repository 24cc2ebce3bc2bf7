"""Where an answer ends on either wire: what goes wrong after its end does not take it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut, Malformed, ModelFault, Overloaded, Refused, ServerFailed
from services.chat_svc.domain.model import Wire
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers import openai as openai_wire
from tests.service.chat_svc.raw import CHUNKED, DONE, END, HEAD, Raw, choice, chunk, event, sending
from tests.service.chat_svc.replica import WAIT_SECONDS

PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Well?"),))
SAID = choice("a") + choice("b")
STOP = choice(reason="stop")
COUNTED = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
WHOLE = Completed(FinishReason.STOP)
FAILED = event({"error": {"message": "usage backend", "code": 500}})
FILTERED = event({"error": {"message": "", "code": "content_filter"}})

Heard = tuple[list[str | Completed], type[ModelFault] | None]


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with sending() as raw:
        yield raw


async def heard(raw: Raw, reply: bytes, wire: Wire = Wire.OPENAI) -> Heard:
    """What our provider makes of a reply, and the fault that ended it."""
    raw.reply = reply
    words: list[str | Completed] = []
    async with asyncio.timeout(WAIT_SECONDS), providers.opened([(raw.model(wire), "k")]) as (provider,):
        try:
            async for word in provider.answer(PROMPT):
                words.append(word)  # noqa: PERF401 (what came before a fault counts too)
        except ModelFault as fault:
            return words, type(fault)
    return words, None


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED + chunk(SAID + STOP),
        CHUNKED + chunk(SAID + STOP) + b"5",
        HEAD + b"Content-Length: 100000\r\n\r\n" + SAID + STOP,
        CHUNKED + chunk(SAID + STOP) + chunk(FAILED) + END,
        CHUNKED + chunk(SAID + STOP + FAILED) + END,
        CHUNKED + chunk(SAID + STOP + b"data: {oops\n\n") + END,
        CHUNKED + chunk(SAID + STOP + b"data: \xff\n\n") + END,
        CHUNKED + chunk(SAID + STOP + event([1])) + END,
        CHUNKED + chunk(SAID + STOP + event({"choices": [5]})) + END,
        CHUNKED + chunk(SAID + STOP + choice(text=5)) + END,
    ],
    ids=[
        "broken",
        "broken in a chunk",
        "shorter than its length",
        "an error",
        "an error at once",
        "no JSON",
        "no text",
        "no object",
        "no choice",
        "no words",
    ],
)
async def test_an_answer_that_has_its_reason_is_whole_whatever_goes_wrong_after_it(raw: Raw, reply: bytes) -> None:
    assert await heard(raw, reply) == (["a", "b", WHOLE], None)


async def test_what_was_counted_before_it_went_wrong_counts(raw: Raw) -> None:
    reply = CHUNKED + chunk(SAID + STOP + COUNTED)
    assert await heard(raw, reply) == (["a", "b", Completed(FinishReason.STOP, Usage(3, 2))], None)


@pytest.mark.parametrize("usage", ["lots", [1], 5, {}, {"prompt_tokens": "3"}])
@pytest.mark.parametrize("counted", [b"", COUNTED], ids=["alone", "after another"])
async def test_usage_of_an_odd_shape_is_none_and_takes_back_no_other(raw: Raw, usage: Any, counted: bytes) -> None:
    told = Usage(3, 2) if counted else None
    whole = (["a", "b", Completed(FinishReason.STOP, told)], None)
    odd = event({"choices": [], "usage": usage})
    assert await heard(raw, CHUNKED + chunk(SAID + STOP + counted + odd + DONE) + END) == whole
    with_reason = choice(reason="stop", usage=usage)
    assert await heard(raw, CHUNKED + chunk(SAID + counted + with_reason + DONE) + END) == whole


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        (choice(reason="content_filter"), Refused),
        (choice(reason="error"), ServerFailed),
        (choice(reason="abort"), Cut),
        (choice(reason=5), Malformed),
        (event({"choices": [{"index": 0, "delta": {"refusal": "No."}}]}), Refused),
        (FILTERED, Refused),
    ],
    ids=["a filter", "an error", "no known reason", "no reason", "a refusal", "an error of a filter"],
)
async def test_a_model_that_takes_its_reason_back_is_believed(raw: Raw, last: bytes, fault: type[ModelFault]) -> None:
    assert await heard(raw, CHUNKED + chunk(SAID + STOP + last + DONE) + END) == (["a", "b"], fault)


async def test_text_that_comes_with_the_reason_or_after_it_belongs_to_the_answer(raw: Raw) -> None:
    for rest in (choice("c", "stop"), STOP + choice("c"), STOP + choice("c") + STOP):
        assert await heard(raw, CHUNKED + chunk(SAID + rest + DONE) + END) == (["a", "b", "c", WHOLE], None)


async def test_what_breaks_off_in_text_after_the_reason_is_cut_until_there_is_another_reason(raw: Raw) -> None:
    assert await heard(raw, CHUNKED + chunk(SAID + STOP + choice("c"))) == (["a", "b", "c"], Cut)
    assert await heard(raw, CHUNKED + chunk(SAID + STOP + choice("c") + STOP)) == (["a", "b", "c", WHOLE], None)


@pytest.mark.parametrize("said", ["c", " c", "\n\nc"])
async def test_a_response_that_ends_in_text_behind_the_reason_is_cut_until_there_is_an_end_mark(
    raw: Raw, said: str
) -> None:
    words, talks_on = ["a", "b", said], CHUNKED + chunk(SAID + STOP) + chunk(choice(said))
    for rest in (END, chunk(COUNTED) + END, chunk(choice("")) + END):
        assert await heard(raw, talks_on + rest) == (words, Cut)
    for mark in (STOP, DONE):
        assert await heard(raw, talks_on + chunk(mark) + END) == ([*words, WHOLE], None)


@pytest.mark.parametrize("said", [None, "", " ", "\n", "\u200b"])
async def test_behind_the_reason_nothing_that_a_reader_sees_is_no_more_text(raw: Raw, said: str | None) -> None:
    words: list[str | Completed] = ["a", "b", *([said] if said else []), Completed(FinishReason.STOP, Usage(3, 2))]
    for end in (b"", END, chunk(DONE) + END):
        assert await heard(raw, CHUNKED + chunk(SAID + STOP) + chunk(choice(said) + COUNTED) + end) == (words, None)


async def test_words_that_are_none_are_a_fault_where_they_come_with_the_reason(raw: Raw) -> None:
    assert await heard(raw, CHUNKED + chunk(SAID + choice(5, "stop") + DONE) + END) == (["a", "b"], Malformed)


async def test_a_server_that_goes_on_without_a_word_after_its_reason_is_not_listened_to_for_ever(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_wire, "USAGE_SECONDS_MAX", 0.5)
    raw.pings = True
    assert await heard(raw, CHUNKED + chunk(SAID + STOP)) == (["a", "b", WHOLE], None)


def told(kind: str, **more: Any) -> bytes:
    """An event of Anthropic's wire."""
    return f"event: {kind}\n".encode() + event({"type": kind, **more})


def begun(**usage: int) -> bytes:
    words = [told("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in ("a", "b")]
    return told("message_start", message={"usage": usage}) + b"".join(words)


ENDING = told("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 4})
STOPPED = told("message_stop")
BUSY = told("error", error={"type": "overloaded_error", "message": "Overloaded"})
ODD = b"event: message_stop\ndata: {oops\n\n"


@pytest.mark.parametrize(
    ("rest", "fault"),
    [(chunk(ENDING), Cut), (chunk(ENDING + BUSY) + END, Overloaded), (chunk(ENDING + ODD) + END, Malformed)],
    ids=["broken", "an error", "no JSON"],
)
async def test_on_anthropics_wire_only_the_end_mark_makes_an_answer_whole(
    raw: Raw, rest: bytes, fault: type[ModelFault]
) -> None:
    assert await heard(raw, CHUNKED + chunk(begun(input_tokens=3)) + rest, Wire.ANTHROPIC) == (["a", "b"], fault)


@pytest.mark.parametrize(
    "rest",
    [chunk(STOPPED), chunk(STOPPED + BUSY) + END, chunk(STOPPED) + chunk(ODD)],
    ids=["broken", "an error", "no JSON"],
)
async def test_behind_anthropics_end_mark_nothing_takes_an_answer_back(raw: Raw, rest: bytes) -> None:
    whole = (["a", "b", Completed(FinishReason.STOP, Usage(3, 4))], None)
    assert await heard(raw, CHUNKED + chunk(begun(input_tokens=3) + ENDING) + rest, Wire.ANTHROPIC) == whole


async def test_a_count_of_no_tokens_for_a_text_is_no_count(raw: Raw) -> None:
    none = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}})
    assert await heard(raw, CHUNKED + chunk(SAID + STOP + none + DONE) + END) == (["a", "b", WHOLE], None)
    empty = (WHOLE.reason, Usage(3, 0))
    assert await heard(raw, CHUNKED + chunk(STOP + none + DONE) + END) == ([Completed(*empty)], None)
    zero = told("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 0})
    reply = CHUNKED + chunk(begun(input_tokens=3) + zero + STOPPED) + END
    assert await heard(raw, reply, Wire.ANTHROPIC) == (["a", "b", WHOLE], None)


async def test_what_anthropic_counts_before_the_text_is_no_count_of_it(raw: Raw) -> None:
    bare = told("message_delta", delta={"stop_reason": "end_turn"})
    reply = CHUNKED + chunk(begun(input_tokens=3, output_tokens=1) + bare + STOPPED) + END
    assert await heard(raw, reply, Wire.ANTHROPIC) == (["a", "b", WHOLE], None)
