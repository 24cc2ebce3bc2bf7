"""GPT, and whatever else speaks OpenAI's chat completions: vLLM, Ollama, OpenRouter, llama.cpp."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam

from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import (
    Cut,
    Malformed,
    ModelFault,
    NotLetIn,
    Refused,
    Stalled,
    Unreachable,
)
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.domain.unseen import is_blank
from services.chat_svc.providers.events import Event, pieces
from services.chat_svc.providers.fault import fault, fault_in_stream, message_of, unforeseen
from services.chat_svc.providers.finish import finish_reason
from services.chat_svc.providers.provider import CONNECT_SECONDS, READ_SECONDS
from services.chat_svc.providers.shape import counted, text, usage

OPENAI_URL = "https://api.openai.com/v1"

# The usage follows the reason. From a server that sends no end, nothing is awaited for longer behind its last word.
USAGE_SECONDS_MAX = 2.0


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
            # Its parser is compiled: a piece takes less of the processor than with the SDK's usual client.
            http_client=openai.DefaultAioHttpClient(),
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        told = _Told(prefixed=prefix != "")
        with self._forgetting():
            async with faults(Unreachable, Unreachable, prefixed=prefix != ""):
                body = self._body(await self._model_name(), prompt, prefix)
                stream = await self._client.post(
                    "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
                )
        async with (
            faults(Cut, Stalled, prefixed=prefix != ""),
            stream,
            aclosing(pieces(stream.response, told, pause)) as said,
        ):
            async for piece in said:
                yield piece
        if told.reason is None:
            raise Cut("the stream ended without a reason")
        yield Completed(told.reason, told.usage)

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

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """A server of one's own that knows a listed model no longer has another one now: the next asking lists anew."""
        try:
            yield
        except NotLetIn:
            self._name = self.model.provider_model
            raise


# What makes a chat template go on with the last message.
CONTINUING = {"continue_final_message": True, "add_generation_prompt": False}


def is_openai(url: str) -> bool:
    """Whether a base URL is OpenAI's own, in whichever region, or Azure's of it."""
    host = urlsplit(url).hostname or ""
    return host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))


class _Told:
    """What the stream says of its end: the reason, and the usage, in the same chunk or in one after it.

    The reason is the wire's end mark: some servers never send `[DONE]`. What goes wrong behind it takes nothing back,
    unless the model names another reason. One that talks on has not ended: another reason is its end, or `[DONE]`.
    """

    def __init__(self, *, prefixed: bool) -> None:
        self._prefixed = prefixed
        self.reason: FinishReason | None = None
        self.is_over = False
        self.is_whole = False
        self._named: FinishReason | None = None
        self._usage: Usage | None = None
        self._spoke = False

    @property
    def usage(self) -> Usage | None:
        return counted(self._usage, spoke=self._spoke)

    @property
    def patience_seconds(self) -> float | None:
        return USAGE_SECONDS_MAX if self.reason else None

    def take(self, event: Event) -> str:
        """The text in a chunk; what the model thinks aloud, and other choices, are none."""
        if event.data.startswith("[DONE]"):
            self.is_over, self.reason = True, self._named
            return ""
        chunk = json.loads(event.data)
        if error := chunk.get("error") or (chunk if event.name == "error" else None):
            raise fault_in_stream(_names(error), message_of(error), prefixed=self._prefixed)
        if (told := chunk.get("usage")) is not None:
            self._usage = _usage(told) or self._usage
        said, reason = "", None
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue
            if word := choice.get("finish_reason"):
                self.is_whole = False
                reason = finish_reason(word)
            if (delta := choice.get("delta")) is not None:
                if delta.get("refusal"):
                    raise Refused("the model refused")
                said += text(delta.get("content"))
        self._spoke = self._spoke or said != ""
        if reason is not None:
            self.reason = self._named = reason
            self.is_whole = True
        elif self.reason is not None and not is_blank(said):
            # The reason was none yet. What a reader does not see is sent behind a good one, too.
            self.reason, self.is_whole = None, False
        return said


def _usage(told: object) -> Usage | None:
    if not isinstance(told, dict):
        return None
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


@asynccontextmanager
async def faults(lost: type[ModelFault], late: type[ModelFault], *, prefixed: bool) -> AsyncIterator[None]:
    """Turns what the SDK raises into a ModelFault; a lost connection and a silent one into those given."""
    try:
        yield
    except openai.APIStatusError as error:
        kind, message = "/".join(_names(error.body)), message_of(error.body)
        raise fault(error.status_code, kind, message, error.response.headers, prefixed=prefixed) from error
    except openai.APITimeoutError as error:
        raise late(type(error).__name__) from error
    except openai.APIConnectionError as error:
        raise lost(type(error).__name__) from error
    # The SDK wraps what goes wrong before the headers, and only that.
    except httpx2.TimeoutException as error:
        raise late(type(error).__name__) from error
    except (httpx2.TransportError, aiohttp.ClientError, OSError) as error:
        # Of a reply that is no HTTP, httpx2 knows nothing.
        raise lost(type(error).__name__) from error
    except (httpx2.HTTPError, openai.OpenAIError, ValueError, AttributeError, TypeError, RecursionError) as error:
        # Not JSON, or JSON of a wrong shape.
        raise Malformed(f"malformed stream: {type(error).__name__}") from error
    except ModelFault:
        raise
    except Exception as error:
        raise unforeseen(error) from error


def _names(error: object) -> tuple[str, ...]:
    """The names that an error goes by."""
    told = (error.get("code"), error.get("type")) if isinstance(error, dict) else ()
    return tuple(str(name) for name in told if name)
