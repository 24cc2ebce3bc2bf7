"""GPT, and whatever else speaks OpenAI's chat completions: vLLM, Ollama, OpenRouter, llama.cpp."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam

from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import (
    Cut,
    Malformed,
    ModelFault,
    NotLetIn,
    Overloaded,
    Refused,
    ServerFailed,
    Stalled,
    Unreachable,
)
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers.fault import fault, fault_in_stream, message_of
from services.chat_svc.providers.provider import CONNECT_SECONDS, READ_SECONDS
from services.chat_svc.providers.shape import text, usage

OPENAI_URL = "https://api.openai.com/v1"

# The usage follows the reason. From a server that sends neither usage nor an end, none is awaited for longer.
USAGE_SECONDS_MAX = 2.0

# Reasons that are none: the content filter, DeepSeek when it has no room, and OpenRouter when its provider failed.
FAULTS: dict[str, type[ModelFault]] = {
    "content_filter": Refused,
    "insufficient_system_resource": Overloaded,
    "error": ServerFailed,
}


class OpenAI:
    """One model behind the OpenAI SDK."""

    def __init__(self, model: Model, key: str) -> None:
        self.model = model
        self._name = model.provider_model
        url = model.base_url or OPENAI_URL
        # OpenAI itself wants the newer name of the limit on output and knows nothing of templates; compatible servers
        # know the older name, and go on with an answer where they are told to leave their template open.
        self._compatible = not is_openai(url)
        # Retries are ours to decide: the SDK's would hide how long the person has been waiting.
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=url,
            timeout=openai.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(self, prompt: Prompt, prefix: str = "") -> AsyncGenerator[str | Completed, None]:
        ending = _Ending()
        async with faults(Unreachable, Unreachable, prefixed=prefix != ""):
            body = self._body(await self._model_name(), prompt, prefix)
            # Chunks as they are: to make the SDK's objects of them takes as long as all the rest of an answer.
            stream = await self._client.post(
                "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
            )
        async with faults(Cut, Stalled, prefixed=prefix != ""), stream:
            chunks = aiter(stream)
            # A list without chunks is none.
            while (chunk := await _next(chunks, USAGE_SECONDS_MAX if ending.reason else None)) not in (None, []):
                if piece := ending.take(chunk):
                    yield piece
        if ending.reason is None:
            raise Cut("the stream ended without a reason")
        yield Completed(ending.reason, ending.usage)

    def _body(self, name: str, prompt: Prompt, prefix: str) -> dict[str, Any]:
        return {
            "model": name,
            "messages": _messages(prompt, prefix),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens" if self._compatible else "max_completion_tokens": self.model.output_tokens_max,
            **self.model.extra,
            **(CONTINUING if prefix and self._compatible else {}),
        }

    async def _model_name(self) -> str:
        """The provider's name for the model: the configured one, or the first that the server lists."""
        if not self._name:
            listed = await self._client.models.list()
            if not listed.data:
                raise NotLetIn("the server lists no model")
            self._name = listed.data[0].id
        return self._name


# What makes a chat template go on with the last message.
CONTINUING = {"continue_final_message": True, "add_generation_prompt": False}


def is_openai(url: str) -> bool:
    """Whether a base URL is OpenAI's own, in whichever region, or Azure's of it."""
    host = urlsplit(url).hostname or ""
    return host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))


class _Ending:
    """What the stream says of its end: the reason, and the usage, in the same chunk or in one after it.

    The reason is the wire's end mark. The SDK keeps `[DONE]` to itself, and some servers never send it.
    """

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None

    def take(self, chunk: Any) -> str:
        """The text in a chunk; what the model thinks aloud, and other choices, are none."""
        if (told := chunk.get("usage")) is not None:
            self.usage = _usage(told)
        said = ""
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue
            reason = choice.get("finish_reason")
            if reason in FAULTS:
                raise FAULTS[reason](f"finish_reason: {reason}")
            if reason:
                self.reason = FinishReason.LENGTH if reason == "length" else FinishReason.STOP
            if (delta := choice.get("delta")) is not None:
                if delta.get("refusal"):
                    raise Refused("the model refused")
                said += text(delta.get("content"))
        return said


def _usage(told: Any) -> Usage | None:
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    if cached is None:
        # DeepSeek's name for it.
        cached = told.get("prompt_cache_hit_tokens")
    return usage(told.get("prompt_tokens"), told.get("completion_tokens"), cached)


def _messages(prompt: Prompt, prefix: str) -> list[ChatCompletionMessageParam]:
    turns: list[ChatCompletionMessageParam] = [{"role": "system", "content": prompt.system}]
    for turn in prompt.turns:
        if turn.role is Role.CHARACTER:
            turns.append({"role": "assistant", "content": turn.text})
        elif turn.images:
            turns.append({"role": "user", "content": _parts(turn)})
        else:
            turns.append({"role": "user", "content": turn.text})
    if prefix:
        turns.append({"role": "assistant", "content": prefix})
    return turns


def _parts(turn: Turn) -> list[ChatCompletionContentPartParam]:
    """The images, each as an address that holds it, and the text."""
    parts: list[ChatCompletionContentPartParam] = []
    for image in turn.images:
        url = f"data:{image.content_type};base64,{base64.b64encode(image.content).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    parts.append({"type": "text", "text": turn.text})
    return parts


async def _next(chunks: AsyncIterator[object], seconds: float | None) -> object | None:
    """The next chunk; None when there is none, or none comes within so many seconds."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await anext(chunks, None)
    except TimeoutError:
        if not limit.expired():
            raise
        return None


@asynccontextmanager
async def faults(lost: type[ModelFault], late: type[ModelFault], *, prefixed: bool) -> AsyncIterator[None]:
    """Turns what the SDK raises into a ModelFault; a lost connection and a silent one into those given."""
    try:
        yield
    except openai.APIStatusError as error:
        kind, message = "/".join(_kinds(error)), message_of(error.body)
        raise fault(error.status_code, kind, message, error.response.headers, prefixed=prefixed) from error
    except openai.APITimeoutError as error:
        raise late(type(error).__name__) from error
    except openai.APIConnectionError as error:
        raise lost(type(error).__name__) from error
    except openai.APIResponseValidationError as error:
        raise Malformed("malformed answer") from error
    except openai.APIError as error:
        raise fault_in_stream(_kinds(error), message_of(error.body), prefixed=prefixed) from error
    except (httpx2.HTTPError, openai.OpenAIError, ValueError, AttributeError, TypeError, RecursionError) as error:
        # Not JSON, or JSON of a wrong shape.
        raise Malformed(f"malformed stream: {type(error).__name__}") from error


def _kinds(error: openai.APIError) -> tuple[str, ...]:
    return tuple(str(name) for name in (error.code, error.type) if name)
