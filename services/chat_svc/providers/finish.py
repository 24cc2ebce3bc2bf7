"""What a model's own word for its end means, on either wire: servers of one protocol borrow words from the others."""

from services.chat_svc.domain.fault import Cut, ModelFault, Overloaded, Refused, ServerFailed
from services.chat_svc.domain.outcome import FinishReason

# It said all. A tool or a pause ends an answer too, though none of ours asks for either.
ALL_SAID = frozenset(
    {"stop", "stop_sequence", "end", "end_turn", "eos", "eos_token", "complete", "tool_calls", "function_call"}
    | {"tool_use", "pause_turn"}
)
# It said all that it may.
ALL_THAT_IT_MAY = frozenset({"length", "model_length", "max_tokens", "model_context_window_exceeded"})

REFUSALS = ("refusal", "content_filter", "safety", "recitation", "sensitive", "prohibited_content", "blocklist")

# DeepSeek has no room, OpenRouter's provider failed, GLM's network did.
FAULTS: dict[str, type[ModelFault]] = {
    **dict.fromkeys(REFUSALS, Refused),
    "insufficient_system_resource": Overloaded,
    "error": ServerFailed,
    "network_error": ServerFailed,
}


def finish_reason(told: str) -> FinishReason:
    """Why the answer is whole. Raises the ModelFault of a reason that says that it is not.

    A word that nobody knows is a cut: what vLLM gave up in the middle ends with one (`abort`).
    """
    # Some shout, and some tell more behind a colon.
    word = told.lower().partition(":")[0].strip()
    if word in ALL_SAID:
        return FinishReason.STOP
    if word in ALL_THAT_IT_MAY:
        return FinishReason.LENGTH
    raise FAULTS.get(word, Cut)(f"it ended for the reason {told[:80]!r}")
