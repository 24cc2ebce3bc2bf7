"""Claude, and whatever else speaks Anthropic's Messages protocol."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import aiohttp
import anthropic
import httpx2
from anthropic.types import ImageBlockParam, MessageParam, TextBlockParam

from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut, Malformed, ModelFault, Stalled, Unreachable
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Image, Prompt, Turn
from services.chat_svc.providers.events import Event, pieces
from services.chat_svc.providers.fault import fault, fault_in_stream, message_of, unforeseen
from services.chat_svc.providers.finish import finish_reason
from services.chat_svc.providers.provider import CONNECT_SECONDS, READ_SECONDS
from services.chat_svc.providers.shape import counted, text, usage

# Anthropic keeps no shorter prompt in its cache; some models want two or four times as much, and ignore the marks.
CACHED_TOKENS_MIN = 1024

# The counts of a prompt.
INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class Anthropic:
    """One model behind the Anthropic SDK."""

    def __init__(self, model: Model, key: str) -> None:
        self.model = model
        # Retries are ours to decide: the SDK's would hide how long the person has been waiting.
        self._client = anthropic.AsyncAnthropic(
            api_key=key or "none",
            base_url=model.base_url or "https://api.anthropic.com",
            timeout=anthropic.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,
            # Its parser is compiled: a piece takes less of the processor than with the SDK's usual client.
            http_client=anthropic.DefaultAioHttpClient(),
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        told = _Told(prefixed=prefix != "")
        async with _faults(prefixed=prefix != ""):
            stream = await self._client.post(
                "/v1/messages",
                body=self._body(prompt, prefix),
                cast_to=object,
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            )
            async with stream, aclosing(pieces(stream.response, told, pause)) as said:
                async for piece in said:
                    yield piece
        if not told.is_over or told.reason is None:
            raise Cut("the stream ended without message_stop")
        yield Completed(told.reason, told.usage())

    def _body(self, prompt: Prompt, prefix: str) -> dict[str, Any]:
        return {
            "model": self.model.provider_model,
            "max_tokens": self.model.output_tokens_max,
            "system": _system(prompt),
            "messages": _messages(prompt, prefix),
            "stream": True,
        }


class _Told:
    """What the stream says of its end: the reason, and counts of tokens, the newest of which count.

    The wire has one end mark, `message_stop`, which every server of it sends. Until then an error may come, or another
    reason: what breaks off between a reason and the mark is cut.
    """

    # Only the end of the stream ends it, and makes it whole.
    patience_seconds = None
    is_whole = False

    def __init__(self, *, prefixed: bool) -> None:
        self._prefixed = prefixed
        self.reason: FinishReason | None = None
        self.is_over = False
        self._tokens: dict[str, int] = {}
        self._spoke = False

    def take(self, event: Event) -> str:
        """The text in an event; thinking, tools, and what comes in years to come, are none."""
        said = self._text(event)
        self._spoke = self._spoke or said != ""
        return said

    def _text(self, event: Event) -> str:
        told = json.loads(event.data)
        kind = told.get("type")
        if kind == "error" or event.name == "error":
            names = (str(told.get("error").get("type")),)
            raise fault_in_stream(names, message_of(told), prefixed=self._prefixed)
        if kind == "content_block_delta" and told.get("delta").get("type") == "text_delta":
            return text(told.get("delta").get("text"))
        if kind == "content_block_start" and told.get("content_block").get("type") == "text":
            return text(told.get("content_block").get("text"))
        if kind == "message_start":
            # Its output is what there is before the text.
            self._count(told.get("message").get("usage"), INPUT)
        elif kind == "message_delta":
            self._count(told.get("usage"), (*INPUT, "output_tokens"))
            if reason := told.get("delta").get("stop_reason"):
                self.reason = finish_reason(reason)
        elif kind == "message_stop":
            self.is_over = self.reason is not None
        return ""

    def usage(self) -> Usage | None:
        fresh = self._tokens.get("input_tokens")
        created = self._tokens.get("cache_creation_input_tokens", 0)
        cached = self._tokens.get("cache_read_input_tokens", 0)
        # Anthropic's `input_tokens` are only those that its cache had no part in.
        every = fresh + created + cached if fresh is not None else None
        return counted(usage(every, self._tokens.get("output_tokens"), cached), spoke=self._spoke)

    def _count(self, told: object, names: tuple[str, ...]) -> None:
        for name in names:
            count = told.get(name) if isinstance(told, dict) else None
            if isinstance(count, int):
                self._tokens[name] = count


def _system(prompt: Prompt) -> str | list[TextBlockParam]:
    return [_marked(prompt.system)] if prompt.tokens >= CACHED_TOKENS_MIN else prompt.system


def _messages(prompt: Prompt, prefix: str) -> list[MessageParam]:
    """The turns; of a long prompt, what the next one of the conversation shares with it is marked for the cache.

    The person's last turn but one ended the prompt before this, which was kept up to its own last but one.
    """
    said = [turn for turn in prompt.turns if turn.role is Role.USER]
    mark = said[-2] if prompt.tokens >= CACHED_TOKENS_MIN and len(said) > 1 else None
    messages = [_message(turn, marked=turn is mark) for turn in prompt.turns]
    if prefix:
        messages.append({"role": "assistant", "content": prefix})
    return messages


def _message(turn: Turn, *, marked: bool) -> MessageParam:
    if turn.role is Role.CHARACTER:
        return {"role": "assistant", "content": turn.text}
    said = _marked(turn.text) if marked else TextBlockParam(type="text", text=turn.text)
    if turn.images:
        return {"role": "user", "content": [*(_image(one) for one in turn.images), said]}
    return {"role": "user", "content": [said] if marked else turn.text}


def _image(image: Image) -> ImageBlockParam:
    data = base64.b64encode(image.content).decode()
    # The SDK's type names the four types that there are.
    return {"type": "image", "source": {"type": "base64", "media_type": cast("Any", image.content_type), "data": data}}


def _marked(said: str) -> TextBlockParam:
    return {"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}


@asynccontextmanager
async def _faults(*, prefixed: bool) -> AsyncIterator[None]:
    """Turns what the SDK raises into a ModelFault."""
    try:
        yield
    except anthropic.APIStatusError as error:
        headers, message = error.response.headers, message_of(error.body)
        raise fault(error.status_code, str(error.type), message, headers, prefixed=prefixed) from error
    except anthropic.APIConnectionError as error:
        raise Unreachable(type(error).__name__) from error
    # The SDK wraps what goes wrong before the headers, and only that.
    except httpx2.TimeoutException as error:
        raise Stalled(type(error).__name__) from error
    except (httpx2.TransportError, aiohttp.ClientError, OSError) as error:
        raise Cut(type(error).__name__) from error
    except (httpx2.HTTPError, anthropic.AnthropicError, ValueError, AttributeError, TypeError, RecursionError) as error:
        # Not JSON, or JSON of a wrong shape.
        raise Malformed(f"malformed stream: {type(error).__name__}") from error
    except ModelFault:
        raise
    except Exception as error:
        raise unforeseen(error) from error
