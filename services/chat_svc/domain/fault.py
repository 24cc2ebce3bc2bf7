"""How a model fails, each way with its own rule.

| fault           | the same model again       | another model | counts against it |
|-----------------|----------------------------|---------------|-------------------|
| RateLimited     | once, after a wait         | yes           | rests at once     |
| Overloaded      | once                       | yes           | yes               |
| ServerFailed    | once                       | yes           | yes               |
| Unreachable     | once                       | yes           | yes               |
| NotLetIn        | no                         | yes           | rests for minutes |
| ContextTooLong  | no                         | a larger one  | no                |
| Refused         | no                         | no            | no                |
| Rejected        | no                         | no            | no                |
| Stalled, Cut, Malformed, Empty | no          | yes           | yes               |
| Outrun          | yes                        | yes           | no                |
| HandedOver      | yes                        | yes           | no                |

One that tells how long to wait, whatever else it tells, rests for so long, and the same model is asked again where that
is short. An ending that the model gives no known reason for is Cut.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class FailureReason(Enum):
    """Why an answer ended early."""

    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_CUT = "model_cut"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    PROMPT_TOO_LONG = "prompt_too_long"


class Fault(Enum):
    """The ways in which a model fails, as a receipt and a seam tell them."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_FAILED = "server_failed"
    UNREACHABLE = "unreachable"
    NOT_LET_IN = "not_let_in"
    CONTEXT_TOO_LONG = "context_too_long"
    REFUSED = "refused"
    REJECTED = "rejected"
    STALLED = "stalled"
    CUT = "cut"
    MALFORMED = "malformed"
    EMPTY = "empty"
    OUTRUN = "outrun"
    HANDED_OVER = "handed_over"


class Next(Enum):
    """Who may succeed where a model failed."""

    NOBODY = "nobody"
    OTHERS = "others"
    LARGER = "larger"


class ModelFault(Exception):
    """A model did not answer as it should; `reason` is what the person learns if nothing else helps."""

    kind: ClassVar[Fault]
    reason: ClassVar[FailureReason] = FailureReason.MODEL_UNAVAILABLE
    following: ClassVar[Next] = Next.OTHERS
    # So often the same model is tried again before another one.
    again: ClassVar[int] = 0
    # Whether it says something about the model's health.
    counts: ClassVar[bool] = True

    def __init__(self, told: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(told)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(ModelFault):
    """It wants fewer requests; `retry_after_seconds` is what it told, None when it did not."""

    kind = Fault.RATE_LIMITED
    again = 1


class Overloaded(ModelFault):
    """It has too much to do."""

    kind = Fault.OVERLOADED
    again = 1


class ServerFailed(ModelFault):
    """It failed on its own side."""

    kind = Fault.SERVER_FAILED
    again = 1


class Unreachable(ModelFault):
    """The network lies between."""

    kind = Fault.UNREACHABLE
    again = 1


class NotLetIn(ModelFault):
    """The key is wrong, out of money, or not for this model."""

    kind = Fault.NOT_LET_IN


class ContextTooLong(ModelFault):
    """The prompt is more than it holds."""

    kind = Fault.CONTEXT_TOO_LONG
    reason = FailureReason.PROMPT_TOO_LONG
    following = Next.LARGER
    counts = False


class Refused(ModelFault):
    """It declines to answer this message."""

    kind = Fault.REFUSED
    reason = FailureReason.REFUSED
    following = Next.NOBODY
    counts = False


class Rejected(ModelFault):
    """It calls the request itself wrong, and so would the next."""

    kind = Fault.REJECTED
    following = Next.NOBODY
    counts = False


class PrefillRejected(Rejected):
    """It calls a request wrong that had it go on with another one's answer; without that, it may take it."""

    following = Next.OTHERS


class Stalled(ModelFault):
    """Nothing came for longer than it may be silent."""

    kind = Fault.STALLED


class Cut(ModelFault):
    """The stream ended before the model said that it was done."""

    kind = Fault.CUT


class Malformed(ModelFault):
    """It sent what is none of its protocol."""

    kind = Fault.MALFORMED


class Empty(ModelFault):
    """It said that it was done and had said nothing."""

    kind = Fault.EMPTY


class Outrun(ModelFault):
    """It did nothing wrong: another model, asked as well because this one was slow, spoke first."""

    kind = Fault.OUTRUN
    counts = False


class HandedOver(ModelFault):
    """It did nothing wrong: the process that listened to it ended, and another one goes on."""

    kind = Fault.HANDED_OVER
    reason = FailureReason.INTERRUPTED
    counts = False


def failure(fault: ModelFault, *, spoke: bool) -> FailureReason:
    """What a fault means for the answer: after the first word it is a cut, unless the model declined."""
    if spoke and fault.reason in (FailureReason.MODEL_UNAVAILABLE, FailureReason.PROMPT_TOO_LONG):
        return FailureReason.MODEL_CUT
    return fault.reason
