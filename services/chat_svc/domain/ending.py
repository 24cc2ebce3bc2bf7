"""How an answer ends, and what the ending costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, model_of, text_of
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.model import Prices
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent, Usage

BYTES_PER_TOKEN = 4
NO_PRICES: Mapping[str, Prices] = {}
FREE = Prices()

DESCRIPTIONS = {
    FailureReason.MODEL_UNAVAILABLE: "AI service temporarily unavailable. Please try again in a moment.",
    FailureReason.MODEL_CUT: "AI service temporarily unavailable: the answer broke off. Please try again.",
    FailureReason.INTERRUPTED: "The answer was interrupted on our side. Please send your message again.",
    FailureReason.REFUSED: "The character cannot answer this message. Please say it differently.",
    FailureReason.PROMPT_TOO_LONG: "Your message is too long for the models that can answer. Please say it shorter.",
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
    return tokens_of(len(text.encode()))


def tokens_of(size_bytes: int) -> int:
    """Tokens of a text of so many bytes, as they are estimated."""
    return -(-size_bytes // BYTES_PER_TOKEN)


def charge(ending: Ending, text: str) -> int:
    """Turns that are paid for: no output and a failure of the model cost nothing, one of ours what was delivered."""
    match ending:
        case Completed() | Broken(FailureReason.INTERRUPTED):
            return 1 if text else 0
        case Broken():
            return 0


def ended(
    answer: Message,
    log: Sequence[Entry],
    ending: Ending,
    spent: Spent | None = None,
    prices: Mapping[str, Prices] = NO_PRICES,
) -> Message:
    """The answer as it ended, with what its live log holds; without a log it ends with no text and its own model.

    `prices` are those of the models, by name. In a round another one follows only where its character had said all.
    """
    text, unshown = text_of(log), spent.unshown if spent is not None else ""
    used = _used(_parts(log), unshown, answer.prompt_tokens, ending.usage if isinstance(ending, Completed) else None)
    ended = replace(
        answer,
        text=text,
        model=model_of(log) or answer.model,
        log=tuple(log),
        charged=charge(ending, text) * answer.price,
        usage=_sum([usage for _, usage in used]),
        spent=replace(
            _spent(log, ending, spent),
            cost=sum((prices.get(model, FREE).cost(usage) for model, usage in used), Decimal(0)),
        ),
    )
    if isinstance(ending, Completed):
        goes_on = ending.reason in (FinishReason.STOP, FinishReason.LENGTH)
        return replace(ended, state=State.COMPLETE, finish=ending.reason, next=ended.next if goes_on else None)
    return replace(ended, state=State.FAILED, failure=ending.reason, next=None)


def _parts(log: Sequence[Entry]) -> list[tuple[str, str]]:
    """Who said what of the text that is shown in the end, in turn."""
    parts: list[tuple[str, list[str]]] = []
    for entry in log:
        match entry:
            case Began(model):
                parts.append((model, []))
            case Said(piece):
                parts[-1][1].append(piece)
            case Seam(to_model=model, kept=kept):
                parts = [*_kept(parts, kept), (model, [])]
    return [(model, said) for model, pieces in parts if (said := "".join(pieces))]


def _kept(parts: list[tuple[str, list[str]]], characters: int) -> list[tuple[str, list[str]]]:
    """As much of the parts as the first so many characters of the text are."""
    kept: list[tuple[str, list[str]]] = []
    for model, pieces in parts:
        said = "".join(pieces)[:characters]
        characters -= len(said)
        if said:
            kept.append((model, [said]))
    return kept


def _used(
    parts: Sequence[tuple[str, str]], unshown: str, prompt_tokens: int, told: Usage | None
) -> list[tuple[str, Usage]]:
    """What each part took: the last one as its model told, where it did. What was not shown stood before the first."""
    said = [(model, unshown + text if place == 0 else text) for place, (model, text) in enumerate(parts)]
    used = [(model, Usage(prompt_tokens, estimated_tokens(text), estimated=True)) for model, text in said]
    return [*used[:-1], (used[-1][0], told)] if used and told is not None else used


def _sum(used: Sequence[Usage]) -> Usage | None:
    if not used:
        return None
    return Usage(
        sum(one.input_tokens for one in used),
        sum(one.output_tokens for one in used),
        any(one.estimated for one in used),
        sum(one.cached_tokens for one in used),
    )


def charged_tokens(answer: Message) -> int:
    """Tokens of output that an answer which has ended is charged for; 0 where it costs one turn, or none."""
    is_metered = answer.state is State.COMPLETE and answer.charged
    return answer.usage.output_tokens if is_metered and answer.usage else 0


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
    return known.attempted(last, usage=ending.usage if isinstance(ending, Completed) else None)
