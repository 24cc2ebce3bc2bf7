"""What the fake provider does with one request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from tests.fakes.errors import ANTHROPIC

DEFAULT_PIECES = 8


@dataclass(frozen=True)
class Behaviour:
    """Says `answer` piece by piece; None echoes the person's last text in eight pieces.

    Before the stream: `reset` resets the connection, `silent` never answers, `status` other than 200 refuses the
    request with that HTTP error, `error` with one that has a name (`tests.fakes.errors`) in the provider's own words;
    `headers` and `retry_after_seconds` go with it. Without `prefill`, a request that ends with the assistant's turn is
    refused.

    In the stream, the `…_after` fields count pieces: after so many it ends without its end mark (cut), is reset, falls
    silent, carries an error event, which `error` may name, carries something that is not JSON, or the model refuses.
    With `resumes`, a request that ends with the beginning of the answer gets the rest of it. `first_word_ms` is the
    silence before the first piece, `delay_ms` that before each. A test that shares the loop may say when it goes on:
    nothing comes before `gate` is set, and the first piece again and again before `until` is; the answer comes then.
    `unmarked` says all, and the reason, but not the wire's end mark; `held` keeps the stream open after all, `end_ms`
    for so long. `keep_alive` puts a comment before each piece. `reasoning` is thought aloud before the first one.

    `usage` is (input tokens, output tokens), `cached_tokens` a part of the first; None reports none.
    `usage_with_reason` reports it in the chunk that has the reason, as some servers of OpenAI's protocol do. `stop` is
    the reason in the provider's own words.
    """

    answer: Sequence[str] | None = None
    delay_ms: float = 0
    first_word_ms: float = 0
    gate: asyncio.Event | None = None
    until: asyncio.Event | None = None
    status: int = 200
    error: str = ""
    retry_after_seconds: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    silent: bool = False
    prefill: bool = True
    resumes: bool = False
    cut_after: int | None = None
    reset_after: int | None = None
    stall_after: int | None = None
    error_after: int | None = None
    malformed_after: int | None = None
    refuse_after: int | None = None
    unmarked: bool = False
    held: bool = False
    end_ms: float = 0
    keep_alive: bool = False
    reasoning: Sequence[str] = ()
    usage: tuple[int, int] | None = (12, 34)
    cached_tokens: int = 0
    usage_with_reason: bool = False
    stop: str | None = None

    def __post_init__(self) -> None:
        if self.error and self.error not in ANTHROPIC:
            raise ValueError(f"no such error: {self.error}")

    @classmethod
    def of(cls, behaviour: dict[str, Any]) -> Behaviour:
        """A behaviour out of JSON; ValueError for a field or an error that there is not."""
        if unknown := behaviour.keys() - {field.name for field in fields(cls)}:
            raise ValueError(f"no such field: {sorted(unknown)}")
        return cls(**behaviour)

    def pieces(self, said: str, beginning: str = "") -> list[str]:
        """What is said in reply to a text, or behind a beginning of it."""
        if self.answer is not None:
            return ["".join(self.answer).removeprefix(beginning)] if self.resumes and beginning else list(self.answer)
        echo = f"You said: {said[:200]}. That is all that I, a fake, can say to it."
        size = -(-len(echo) // DEFAULT_PIECES)
        bounds = range(0, size * DEFAULT_PIECES, size)
        return [echo[start : start + size] for start in bounds if start < len(echo)]
