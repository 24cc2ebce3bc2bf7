"""Why nobody is asked, as the errors that a caller gets."""

from __future__ import annotations

from runtime.errors import FailedPrecondition, NotFound, Unavailable
from services.chat_svc.domain.routing import Wanted

NO_MODEL_FOR_IMAGES = "NO_MODEL_FOR_IMAGES"
# A model that one asks for all is worth another look after this.
MOMENT_SECONDS = 1.0


def no_such_model() -> NotFound:
    return NotFound("There is no such model.", reason="MODEL_NOT_FOUND")


def none_sees() -> FailedPrecondition:
    """Of all models."""
    return FailedPrecondition("No configured model can see images.", reason=NO_MODEL_FOR_IMAGES)


def none_paid_for_sees() -> FailedPrecondition:
    """Of those that the turn pays for."""
    return FailedPrecondition("No model that your plan pays for can see images.", reason=NO_MODEL_FOR_IMAGES)


def too_long(wanted: Wanted, tokens_max: int, *, said_now: bool, for_premium: bool) -> FailedPrecondition:
    """No model has so much room; `for_premium` says that one has that a premium turn pays for."""
    what = "What you said" if said_now else "What was said last"
    otherwise = ", or choose a premium model" if for_premium else ""
    return FailedPrecondition(
        f"{what} is too long for the models that can answer: say it shorter{otherwise}.",
        reason="PROMPT_TOO_LONG",
        metadata={"prompt_tokens": str(wanted.least_tokens), "prompt_tokens_max": str(tokens_max)},
    )


def all_rest(seconds: float) -> Unavailable:
    """None can be asked for so long."""
    return Unavailable(
        "No model can be asked just now.",
        reason="MODEL_UNAVAILABLE",
        retry_after_seconds=max(MOMENT_SECONDS, seconds),
    )
