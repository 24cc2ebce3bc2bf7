import pytest

from services.chat_svc.domain.fault import Cut, ModelFault, Overloaded, Refused, ServerFailed
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.providers.finish import finish_reason


@pytest.mark.parametrize(
    "told",
    [
        *("stop", "STOP", "eos", "eos_token", "stop_sequence", "end_turn", "end", "COMPLETE"),
        *("tool_calls", "function_call", "tool_use", "pause_turn"),
    ],
)
def test_a_model_that_has_said_all_says_so_in_many_words(told: str) -> None:
    assert finish_reason(told) is FinishReason.STOP


@pytest.mark.parametrize(
    "told", ["length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded"]
)
def test_a_model_that_has_said_all_that_it_may_says_so_too(told: str) -> None:
    assert finish_reason(told) is FinishReason.LENGTH


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("content_filter", Refused),
        ("content_filter: SAFETY", Refused),
        ("SAFETY", Refused),
        ("refusal", Refused),
        ("sensitive", Refused),
        ("insufficient_system_resource", Overloaded),
        ("error", ServerFailed),
        ("abort", Cut),
        ("compaction", Cut),
        ("what comes in years to come", Cut),
    ],
)
def test_what_does_not_say_that_an_answer_is_whole_is_a_fault(told: str, fault: type[ModelFault]) -> None:
    with pytest.raises(ModelFault) as caught:
        finish_reason(told)
    assert type(caught.value) is fault
