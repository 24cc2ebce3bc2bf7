"""What an error of a provider means, on either wire."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from services.chat_svc.domain.fault import (
    ContextTooLong,
    Malformed,
    ModelFault,
    NotLetIn,
    Overloaded,
    PrefillRejected,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
)
from services.chat_svc.providers.retry_after import retry_after_seconds

log = structlog.get_logger()

# What else is below 500 has nobody behind it who would answer: the address, the key or the model is wrong.
MEANINGS: dict[int, type[ModelFault]] = {
    400: Rejected,
    408: ServerFailed,
    409: ServerFailed,
    413: ContextTooLong,
    422: Rejected,
    425: ServerFailed,
    429: RateLimited,
    498: Overloaded,
    499: ServerFailed,
    503: Overloaded,
    529: Overloaded,
}

# The status that an error in mid-stream would have had, had it come before the stream. What is not here is a 500.
STATUSES = {
    "authentication_error": 401,
    "billing_error": 402,
    "content_filter": 400,
    "context_length_exceeded": 400,
    "engine_overloaded": 503,
    "insufficient_quota": 429,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "timeout_error": 504,
}

# Wordings of OpenAI, Azure, Anthropic, DeepSeek, Groq, OpenRouter, Gemini, vLLM, llama.cpp and Ollama.
MONEY = re.compile(r"insufficient[ _](quota|balance|credits|funds)|billing_|credit balance is too low")
CONTEXT = re.compile(
    r"context[ _](length|window|limit|size)|(prompt|input) is too long|maximum number of tokens|too many tokens"
)
FILTER = re.compile(r"content[ _-](filter|policy|management)|responsibleaipolicy|moderation|flagged")
OVERLOADED = re.compile(r"overloaded")


def fault(
    status: int, kind: str, message: str = "", headers: Mapping[str, str] | None = None, *, prefixed: bool = False
) -> ModelFault:
    """The fault behind an HTTP status, the provider's own name of the error, and its words.

    The words may quote the prompt or the key, so only the status and the name are told. `prefixed`: the request had the
    model go on with another one's answer.
    """
    meaning = _meaning(status, f"{kind} {message}".lower())
    if prefixed and meaning is Rejected:
        meaning = PrefillRejected
    wait = retry_after_seconds(headers or {}, datetime.now(UTC))
    return meaning(f"HTTP {status}: {kind}", retry_after_seconds=wait)


def message_of(body: object) -> str:
    """The provider's words in a body that is an error or holds one; its other fields may quote the prompt."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""


def fault_in_stream(kinds: tuple[str, ...], message: str, *, prefixed: bool = False) -> ModelFault:
    """The fault behind an error event: `kinds` are the names that it goes by, or the status that it quotes."""
    quoted = [int(kind) for kind in kinds if re.fullmatch(r"[45]\d\d", kind)]
    known = [STATUSES[kind] for kind in kinds if kind in STATUSES]
    return fault((quoted + known + [500])[0], "/".join(kinds), message, prefixed=prefixed)


def unforeseen(error: Exception) -> ModelFault:
    """The fault behind what none of the readers foresaw: it ends with its model, and is told with all that is known."""
    log.error("unforeseen in a provider", exc_info=error)
    return Malformed(f"unforeseen: {type(error).__name__}")


def _meaning(status: int, words: str) -> type[ModelFault]:
    if status in (400, 403, 429) and MONEY.search(words):
        return NotLetIn
    if status in (400, 422) and CONTEXT.search(words):
        return ContextTooLong
    if status in (400, 403, 422) and FILTER.search(words):
        return Refused
    if OVERLOADED.search(words):
        return Overloaded
    return MEANINGS.get(status, ServerFailed if status >= 500 else NotLetIn)
