"""What the fake provider does with one request."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

DEFAULT_PIECES = 8


@dataclass(frozen=True)
class Behaviour:
    """Says `answer` piece by piece; None echoes the person's last text in eight pieces.

    `status` other than 200 refuses the request with that HTTP error. The `…_after` fields count pieces: after so many
    the stream is cut, falls silent, carries an error event, carries something that is not JSON, or the model refuses.
    `usage` is (input tokens, output tokens); None reports none, which only OpenAI's protocol allows. `stop` is the
    reason in the provider's own words.
    """

    answer: Sequence[str] | None = None
    delay_ms: float = 0
    status: int = 200
    retry_after_seconds: int | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    error_after: int | None = None
    malformed_after: int | None = None
    refuse_after: int | None = None
    usage: tuple[int, int] | None = (12, 34)
    stop: str | None = None

    @classmethod
    def of(cls, behaviour: dict[str, Any]) -> "Behaviour":
        """A behaviour out of JSON; ValueError for a field that there is not."""
        if unknown := behaviour.keys() - {field.name for field in fields(cls)}:
            raise ValueError(f"no such field: {sorted(unknown)}")
        return cls(**behaviour)

    def pieces(self, said: str) -> list[str]:
        """What is said in reply to a text."""
        if self.answer is not None:
            return list(self.answer)
        echo = f"You said: {said[:200]}. That is all that I, a fake, can say to it."
        size = -(-len(echo) // DEFAULT_PIECES)
        bounds = range(0, size * DEFAULT_PIECES, size)
        return [echo[start : start + size] for start in bounds if start < len(echo)]
