"""What an error of a provider means."""

import pytest

from services.chat_svc.domain.fault import (
    ContextTooLong,
    Fault,
    ModelFault,
    Next,
    NotLetIn,
    Overloaded,
    PrefillRejected,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
)
from services.chat_svc.providers.fault import fault, fault_in_stream, message_of


@pytest.mark.parametrize(
    ("status", "kind", "message", "meaning"),
    [
        (400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum", ContextTooLong),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 8 > 16",
            ContextTooLong,
        ),
        (
            400,
            "context_length_exceeded/invalid_request_error",
            "Your input exceeds the context window.",
            ContextTooLong,
        ),
        (400, "400/BadRequestError", "This model's maximum context length is 4096 tokens.", ContextTooLong),
        (400, "400/exceed_context_size_error", "the request exceeds the available context size", ContextTooLong),
        (400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed", ContextTooLong),
        (422, "", "the input is too long", ContextTooLong),
        (413, "request_too_large", "", ContextTooLong),
        (400, "content_filter", "", Refused),
        (400, "content_policy_violation/image_generation_user_error", "", Refused),
        (400, "invalid_request_error", "Output blocked by content filtering policy", Refused),
        (403, "403", "x requires moderation. Your input was flagged", Refused),
        (403, "permission_error", "Your API key has no permission", NotLetIn),
        (400, "invalid_request_error", "Your credit balance is too low to access the API", NotLetIn),
        (429, "insufficient_quota/insufficient_quota", "You exceeded your current quota", NotLetIn),
        (429, "billing_hard_limit_reached", "", NotLetIn),
        (402, "unknown_error", "Insufficient Balance", NotLetIn),
        (404, "model_not_found", "The model does not exist", NotLetIn),
        (429, "rate_limit_exceeded/tokens", "Limit 30000, requested 40000", RateLimited),
        (429, "rate_limit_error", "Extra usage is required for long context requests", RateLimited),
        (500, "server_error", "The server is overloaded or not ready yet", Overloaded),
        (500, "api_error", "prompt is too long, said a cat", ServerFailed),
        (520, "", "", ServerFailed),
        (418, "teapot", "", NotLetIn),
    ],
)
def test_a_status_and_the_providers_words_make_a_fault(
    status: int, kind: str, message: str, meaning: type[ModelFault]
) -> None:
    found = fault(status, kind, message)
    assert (type(found), str(found)) == (meaning, f"HTTP {status}: {kind}")


@pytest.mark.parametrize(
    ("kinds", "message", "meaning"),
    [
        (("overloaded_error",), "", Overloaded),
        (("api_error",), "", ServerFailed),
        (("rate_limit_error",), "", RateLimited),
        (("authentication_error",), "", NotLetIn),
        (("invalid_request_error",), "prompt is too long", ContextTooLong),
        (("insufficient_quota",), "", NotLetIn),
        (("context_length_exceeded", "invalid_request_error"), "", ContextTooLong),
        (("502",), "Provider disconnected", ServerFailed),
        (("429", "rate_limit"), "", RateLimited),
        (("400", "BadRequestError"), "wrong", Rejected),
        (("200", "odd"), "", ServerFailed),
        (("a_new_error",), "", ServerFailed),
        ((), "", ServerFailed),
    ],
)
def test_an_error_event_means_what_its_status_would_have_meant(
    kinds: tuple[str, ...], message: str, meaning: type[ModelFault]
) -> None:
    assert type(fault_in_stream(kinds, message)) is meaning


def test_only_a_rejection_is_blamed_on_the_prefix() -> None:
    rejected = fault(400, "invalid_request_error", "no prefill", prefixed=True)
    assert (type(rejected), rejected.kind, rejected.following) == (PrefillRejected, Fault.REJECTED, Next.OTHERS)
    assert type(fault(422, "", "", prefixed=True)) is PrefillRejected
    assert type(fault(400, "", "prompt is too long", prefixed=True)) is ContextTooLong
    assert type(fault(500, "", "", prefixed=True)) is ServerFailed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "error", "error": {"type": "t", "message": "m"}}, "m"),
        ({"message": "m", "code": "c"}, "m"),
        ({"error": "m"}, "m"),
        ("m", "m"),
        ({"message": ["m"]}, ""),
        ({"detail": [{"input": "prompt is too long"}]}, ""),
        (None, ""),
    ],
)
def test_only_the_providers_own_words_are_read(body: object, message: str) -> None:
    assert message_of(body) == message
