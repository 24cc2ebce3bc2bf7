"""The errors that have a name, as each provider words them."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Worded:
    """An error of one provider: `kind` is Anthropic's type, or OpenAI's type and code."""

    status: int
    kind: str
    message: str
    code: str | None = None

    def anthropic(self) -> Json:
        error = {"type": self.kind, "message": self.message}
        return {"type": "error", "error": error, "request_id": "req_fake"}

    def openai(self) -> Json:
        return {"error": {"message": self.message, "type": self.kind, "param": None, "code": self.code}}


ANTHROPIC = {
    "context_too_long": Worded(400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
    "too_large": Worded(413, "request_too_large", "Request exceeds the maximum size"),
    "content_filter": Worded(400, "invalid_request_error", "Output blocked by content filtering policy"),
    "prefill": Worded(
        400,
        "invalid_request_error",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    ),
    "money": Worded(
        400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans."
    ),
    "billing": Worded(402, "billing_error", "There is a problem with your billing or payment information."),
    "forbidden": Worded(403, "permission_error", "Your API key does not have permission to use the model."),
    "model": Worded(404, "not_found_error", "model: claude-0"),
    "request": Worded(400, "invalid_request_error", "max_tokens: must be at least 1"),
    "rate": Worded(429, "rate_limit_error", "This request would exceed your account's rate limit."),
    "overloaded": Worded(529, "overloaded_error", "Overloaded"),
}

OPENAI = {
    "context_too_long": Worded(
        400,
        "invalid_request_error",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
        "context_length_exceeded",
    ),
    "too_large": Worded(413, "invalid_request_error", "Request too large for the model."),
    "content_filter": Worded(
        400,
        "invalid_request_error",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "content_filter",
    ),
    "prefill": Worded(
        400, "BadRequestError", "Cannot set `add_generation_prompt` to False: no continuation by this model.", "400"
    ),
    "money": Worded(429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"),
    "billing": Worded(402, "unknown_error", "Insufficient Balance", "invalid_request_error"),
    "forbidden": Worded(403, "invalid_request_error", "Project does not have access to model.", "model_not_found"),
    "model": Worded(404, "invalid_request_error", "The model does not exist.", "model_not_found"),
    "request": Worded(400, "invalid_request_error", "Unknown parameter: 'quality'.", "unknown_parameter"),
    "rate": Worded(429, "requests", "Rate limit reached for gpt-x.", "rate_limit_exceeded"),
    "overloaded": Worded(503, "server_error", "The engine is currently overloaded, please try again later."),
}
