"""How an answer ends, and what the ending costs."""

from dataclasses import dataclass, replace

from services.chat_svc.domain.conversation import FailureReason, FinishReason, Message, State, Usage

BYTES_PER_TOKEN = 4

DESCRIPTIONS = {
    FailureReason.MODEL_UNAVAILABLE: "AI service temporarily unavailable. Please try again in a moment.",
    FailureReason.MODEL_CUT: "AI service temporarily unavailable: the answer broke off. Please try again.",
    FailureReason.INTERRUPTED: "The answer was interrupted on our side. Please send your message again.",
    FailureReason.REFUSED: "The character cannot answer this message. Please say it differently.",
}


@dataclass(frozen=True)
class Completed:
    """The model said all it had to say; `usage` is None when it reported none."""

    reason: FinishReason
    usage: Usage | None = None


@dataclass(frozen=True)
class Broken:
    """The answer ended early."""

    reason: FailureReason


Ending = Completed | Broken


def estimated_tokens(text: str) -> int:
    """Tokens of a text, at one for four bytes, rounded up."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def charge(ending: Ending, text: str) -> int:
    """Turns that are paid for: a failure of the model costs nothing, one of ours what was delivered."""
    match ending:
        case Completed():
            return 1
        case Broken(FailureReason.INTERRUPTED):
            return 1 if text else 0
        case Broken():
            return 0


def ended(answer: Message, log: list[str], ending: Ending) -> Message:
    """The answer as it ended, with what its live log holds; without a log it ends with no text and its own model."""
    model, *pieces = log or [answer.model]
    text = "".join(pieces)
    estimate = Usage(answer.prompt_tokens, estimated_tokens(text), estimated=True) if text else None
    ended = replace(
        answer,
        text=text,
        model=model,
        delta_lengths=tuple(len(piece) for piece in pieces),
        charged=charge(ending, text) * answer.price,
    )
    if isinstance(ending, Completed):
        return replace(ended, state=State.COMPLETE, finish=ending.reason, usage=ending.usage or estimate)
    return replace(ended, state=State.FAILED, failure=ending.reason, usage=estimate)
