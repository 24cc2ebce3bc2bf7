"""Models as data, and how one fails."""

from dataclasses import dataclass
from enum import Enum

from services.chat_svc.domain.conversation import FailureReason


class Wire(Enum):
    """The protocol that a provider speaks."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


@dataclass(frozen=True)
class Model:
    """One entry of the model list that this machine can reach.

    `provider_model` is the provider's own name for it; empty means the first that the provider lists.
    """

    id: str
    wire: Wire
    provider_model: str
    base_url: str
    context_tokens: int
    output_tokens_max: int
    first_word_seconds: float

    def prompt_tokens_max(self, entitled_tokens: int) -> int:
        """Tokens that a prompt may have: what the plan allows, within what the model holds beside its answer."""
        return min(entitled_tokens, self.context_tokens - self.output_tokens_max)


class ModelFault(Exception):
    """A model did not answer as it should; `reason` is what the person learns if nothing else helps."""

    reason = FailureReason.MODEL_UNAVAILABLE
    # Whether another model may succeed where this one failed.
    elsewhere = True


class ModelUnavailable(ModelFault):
    """It could not be reached, was overloaded, or does not let us in."""


class ModelBroke(ModelFault):
    """It broke off, stalled or sent something malformed."""


class RequestRejected(ModelFault):
    """It calls the request itself wrong, and so would the next."""

    elsewhere = False


class ModelRefused(ModelFault):
    """It declines to answer this message."""

    reason = FailureReason.REFUSED
    elsewhere = False


def failure(fault: ModelFault, *, spoke: bool) -> FailureReason:
    """What a fault means for the answer: after the first word it is a cut, unless the model declined."""
    if spoke and fault.reason is FailureReason.MODEL_UNAVAILABLE:
        return FailureReason.MODEL_CUT
    return fault.reason
