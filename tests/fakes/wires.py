"""The two protocols as the fake provider speaks them: a request's last text in, Server-Sent Events out."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from tests.fakes import errors
from tests.fakes.behaviour import Behaviour
from tests.fakes.errors import Json, Worded


class Wire(Protocol):
    """How one provider frames an answer."""

    errors: ClassVar[Mapping[str, Worded]]

    def error(self, status: int) -> Json: ...
    def named_error(self, name: str) -> tuple[int, Json]: ...
    def opening(self, behaviour: Behaviour) -> Iterator[bytes]: ...
    def piece(self, text: str, behaviour: Behaviour) -> bytes: ...
    def error_event(self, name: str) -> bytes: ...
    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]: ...
    def closing(self, behaviour: Behaviour) -> Iterator[bytes]: ...


def said(body: Json) -> str:
    """The person's last text."""
    content = next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user")
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def shown(body: Json) -> list[tuple[str, bytes]]:
    """The type and the bytes of every image in a request, in either protocol; ValueError for one that is none."""
    contents = [message["content"] for message in body["messages"] if not isinstance(message["content"], str)]
    return [image for content in contents for block in content if (image := _image(block)) is not None]


def _image(block: Json) -> tuple[str, bytes] | None:
    match block:
        case {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}:
            return kind, base64.b64decode(data, validate=True)
        case {"type": "image_url", "image_url": {"url": url}}:
            kind, separator, data = url.removeprefix("data:").partition(";base64,")
            if not separator:
                raise ValueError(f"no data in {url[:50]}")
            return kind, base64.b64decode(data, validate=True)
        case {"type": "text"}:
            return None
    raise ValueError(f"no part of a message: {block}")


def instructions(body: Json) -> str:
    """The system's part, in either protocol."""
    first = body["messages"][0]
    content = first["content"] if first["role"] == "system" else body.get("system", "")
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def beginning(body: Json) -> str:
    """What there is already of the answer, with which the model is to go on."""
    last = body["messages"][-1]
    return str(last["content"]) if last["role"] == "assistant" else ""


@dataclass(frozen=True)
class AnthropicMessages:
    """`POST /v1/messages` with `stream: true`."""

    model: str
    errors: ClassVar[Mapping[str, Worded]] = errors.ANTHROPIC

    def error(self, status: int) -> Json:
        kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
        kind = kinds.get(status, "overloaded_error" if status == 529 else "api_error")
        return Worded(status, kind, "scripted").anthropic()

    def named_error(self, name: str) -> tuple[int, Json]:
        return self.errors[name].status, self.errors[name].anthropic()

    def opening(self, behaviour: Behaviour) -> Iterator[bytes]:
        message: Json = {
            "id": "msg_fake",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        if behaviour.usage:
            read = behaviour.cached_tokens
            cached = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": read}
            message["usage"] = {"input_tokens": behaviour.usage[0] - read, "output_tokens": 1, **cached}
        yield self._event("message_start", message=message)
        if behaviour.reasoning:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            yield self._event("content_block_start", index=0, content_block=block)
            for thought in behaviour.reasoning:
                yield self._event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": thought})
            yield self._event("content_block_stop", index=0)
        text = {"type": "text", "text": ""}
        yield self._event("content_block_start", index=_block(behaviour), content_block=text)
        yield self._event("ping")
        # The protocol reserves the right to send events that a client does not know yet.
        yield self._event("future_event", index=0)

    def piece(self, text: str, behaviour: Behaviour) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return self._event("content_block_delta", index=_block(behaviour), delta=delta)

    def error_event(self, name: str) -> bytes:
        return self._event("error", error=self.errors[name or "overloaded"].anthropic()["error"])

    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end("refusal", behaviour)

    def closing(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end(behaviour.stop or "end_turn", behaviour)

    def _end(self, reason: str, behaviour: Behaviour) -> Iterator[bytes]:
        usage = {"usage": {"output_tokens": behaviour.usage[1]}} if behaviour.usage else {}
        yield self._event("content_block_stop", index=_block(behaviour))
        yield self._event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, **usage)
        if not behaviour.unmarked:
            yield self._event("message_stop")

    def _event(self, kind: str, **data: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def _block(behaviour: Behaviour) -> int:
    """The index of Anthropic's block of text: what is thought aloud has one of its own, before it."""
    return 1 if behaviour.reasoning else 0


@dataclass(frozen=True)
class OpenAIChatCompletions:
    """`POST /v1/chat/completions` with `stream: true`."""

    model: str
    include_usage: bool
    errors: ClassVar[Mapping[str, Worded]] = errors.OPENAI

    def error(self, status: int) -> Json:
        return Worded(status, "server_error", "scripted", f"fake_{status}").openai()

    def named_error(self, name: str) -> tuple[int, Json]:
        return self.errors[name].status, self.errors[name].openai()

    def opening(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield self._chunk({"role": "assistant", "content": ""})
        for thought in behaviour.reasoning:
            yield self._chunk({"reasoning_content": thought})

    def piece(self, text: str, behaviour: Behaviour) -> bytes:
        return self._chunk({"content": text})

    def error_event(self, name: str) -> bytes:
        return self._data(self.errors[name or "overloaded"].openai())

    def refusal(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end("content_filter", behaviour)

    def closing(self, behaviour: Behaviour) -> Iterator[bytes]:
        yield from self._end(behaviour.stop or "stop", behaviour)

    def _end(self, reason: str, behaviour: Behaviour) -> Iterator[bytes]:
        usage = self._usage(behaviour)
        if usage and behaviour.usage_with_reason:
            yield self._chunk({}, reason, **usage)
        else:
            yield self._chunk({}, reason)
            if usage:
                yield self._data({**self._head(), "choices": [], **usage})
        if not behaviour.unmarked:
            yield b"data: [DONE]\n\n"

    def _usage(self, behaviour: Behaviour) -> Json:
        if not self.include_usage or behaviour.usage is None:
            return {}
        prompt, completion = behaviour.usage
        counts: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        if behaviour.cached_tokens:
            counts["prompt_tokens_details"] = {"cached_tokens": behaviour.cached_tokens}
        return {"usage": counts}

    def _chunk(self, delta: Json, reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return self._data({**self._head(), "choices": [choice], **more})

    def _head(self) -> Json:
        return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": self.model}

    def _data(self, data: Json) -> bytes:
        return f"data: {json.dumps(data)}\n\n".encode()
