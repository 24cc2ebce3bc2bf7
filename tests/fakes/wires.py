"""The two protocols as the fake provider speaks them: a request's last text in, Server-Sent Events out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.fakes.behaviour import Behaviour

Json = dict[str, Any]


class Wire(Protocol):
    """How one provider frames an answer."""

    def error(self, status: int) -> Json: ...
    def opening(self, behaviour: Behaviour) -> Iterator[bytes]: ...
    def piece(self, text: str) -> bytes: ...
    def error_event(self) -> bytes: ...
    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]: ...
    def closing(self, behaviour: Behaviour) -> Iterator[bytes]: ...


def said(body: Json) -> str:
    """The person's last text."""
    content = next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user")
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


@dataclass(frozen=True)
class AnthropicMessages:
    """`POST /v1/messages` with `stream: true`."""

    model: str

    def error(self, status: int) -> Json:
        kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
        kind = kinds.get(status, "overloaded_error" if status == 529 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": "scripted"}, "request_id": "req_fake"}

    def opening(self, behaviour: Behaviour) -> Iterator[bytes]:
        usage = {"input_tokens": behaviour.usage[0] if behaviour.usage else 0, "output_tokens": 1}
        message: Json = {
            "id": "msg_fake",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        yield self._event("message_start", message=message)
        yield self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield self._event("ping")
        # The protocol reserves the right to send events that a client does not know yet.
        yield self._event("future_event", index=0)

    def piece(self, text: str) -> bytes:
        return self._event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def error_event(self) -> bytes:
        return self._event("error", error={"type": "overloaded_error", "message": "Overloaded"})

    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end("refusal", behaviour)

    def closing(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end(behaviour.stop or "end_turn", behaviour)

    def _end(self, reason: str, behaviour: Behaviour) -> Iterator[bytes]:
        usage = {"output_tokens": behaviour.usage[1] if behaviour.usage else 0}
        yield self._event("content_block_stop", index=0)
        yield self._event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
        yield self._event("message_stop")

    def _event(self, kind: str, **data: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


@dataclass(frozen=True)
class OpenAIChatCompletions:
    """`POST /v1/chat/completions` with `stream: true`."""

    model: str
    include_usage: bool

    def error(self, status: int) -> Json:
        return {"error": {"message": "scripted", "type": "server_error", "param": None, "code": f"fake_{status}"}}

    def opening(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def error_event(self) -> bytes:
        return self._data(self.error(500))

    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end("content_filter", behaviour)

    def closing(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end(behaviour.stop or "stop", behaviour)

    def _end(self, reason: str, behaviour: Behaviour) -> Iterator[bytes]:
        yield self._chunk({}, reason)
        if self.include_usage and behaviour.usage is not None:
            prompt, completion = behaviour.usage
            usage = {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            }
            yield self._data({**self._head(), "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    def _chunk(self, delta: Json, reason: str | None = None) -> bytes:
        return self._data({**self._head(), "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def _head(self) -> Json:
        return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": self.model}

    def _data(self, data: Json) -> bytes:
        return f"data: {json.dumps(data)}\n\n".encode()
