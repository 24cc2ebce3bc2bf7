"""How an answer ends, and what the ending costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import Entry, Seam, model_of, text_of
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent, Usage

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
    """Turns that are paid for: no output and a failure of the model cost nothing, one of ours what was delivered."""
    match ending:
        case Completed() | Broken(FailureReason.INTERRUPTED):
            return 1 if text else 0
        case Broken():
            return 0


def ended(answer: Message, log: Sequence[Entry], ending: Ending, spent: Spent | None = None) -> Message:
    """The answer as it ended, with what its live log holds; without a log it ends with no text and its own model.

    In a round another one follows only where its character had said all.
    """
    text = text_of(log)
    estimate = Usage(answer.prompt_tokens, estimated_tokens(text), estimated=True) if text else None
    ended = replace(
        answer,
        text=text,
        model=model_of(log) or answer.model,
        log=tuple(log),
        charged=charge(ending, text) * answer.price,
        spent=_spent(log, ending, spent),
    )
    if isinstance(ending, Completed):
        goes_on = ending.reason in (FinishReason.STOP, FinishReason.LENGTH)
        following = ended.next if goes_on else None
        return replace(
            ended, state=State.COMPLETE, finish=ending.reason, usage=ending.usage or estimate, next=following
        )
    return replace(ended, state=State.FAILED, failure=ending.reason, usage=estimate, next=None)


def paid(answer: Message, turns: int) -> Message:
    """The answer, charged as so many turns, where it is charged at all; one that we interrupted is one turn."""
    return replace(answer, charged=answer.charged * turns) if answer.state is State.COMPLETE else answer


def _spent(log: Sequence[Entry], ending: Ending, spent: Spent | None) -> Spent:
    """With the model that was speaking when the answer ended; of a process that died, as far as the log tells."""
    last = model_of(log)
    known = spent or Spent(tuple(Attempt(entry.from_model, entry.fault) for entry in log if isinstance(entry, Seam)))
    broke = isinstance(ending, Broken) and ending.reason is not FailureReason.INTERRUPTED
    if not last or broke or any(one.fault is None for one in known.attempts):
        return known
    usage = ending.usage if isinstance(ending, Completed) else None
    return replace(known, attempts=(*known.attempts, Attempt(last, usage=usage)))
