"""GPT, and whatever else speaks OpenAI's chat completions: vLLM, Ollama, OpenRouter, llama.cpp."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from services.chat_svc.domain.conversation import FinishReason, Role, Usage
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import Model, ModelBroke, ModelRefused, ModelUnavailable
from services.chat_svc.domain.prompt import Prompt
from services.chat_svc.providers.provider import CONNECT_SECONDS, READ_SECONDS, fault_of_status

OPENAI_URL = "https://api.openai.com/v1"


class OpenAI:
    """One model behind the OpenAI SDK."""

    def __init__(self, model: Model, key: str) -> None:
        self.model = model
        self._name = model.provider_model
        # Retries are ours to decide: the SDK's would hide how long the person has been waiting.
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=model.base_url or OPENAI_URL,
            timeout=openai.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(self, prompt: Prompt) -> AsyncGenerator[str | Completed, None]:
        ending = _Ending()
        async with _faults():
            stream = await self._client.chat.completions.create(
                model=await self._model_name(),
                messages=_messages(prompt),
                stream=True,
                stream_options={"include_usage": True},
                max_tokens=self.model.output_tokens_max if self.model.base_url else openai.omit,
                # OpenAI itself wants the newer name of the limit, compatible servers know the older one.
                max_completion_tokens=openai.omit if self.model.base_url else self.model.output_tokens_max,
            )
            async with stream:
                async for chunk in stream:
                    if text := ending.take(chunk):
                        yield text
        if ending.reason is not None:
            yield Completed(ending.reason, ending.usage)

    async def _model_name(self) -> str:
        """The provider's name for the model: the configured one, or the first that the server lists."""
        if not self._name:
            listed = await self._client.models.list()
            if not listed.data:
                raise ModelUnavailable("the server lists no model")
            self._name = listed.data[0].id
        return self._name


class _Ending:
    """What the stream says of its end. The usage comes after the reason, in a chunk without choices."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None

    def take(self, chunk: ChatCompletionChunk) -> str:
        """The text in a chunk."""
        if chunk.usage is not None:
            self.usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if choice.finish_reason == "content_filter" or choice.delta.refusal:
            raise ModelRefused("the model refused")
        if choice.finish_reason is not None:
            self.reason = FinishReason.LENGTH if choice.finish_reason == "length" else FinishReason.STOP
        return choice.delta.content or ""


def _messages(prompt: Prompt) -> list[ChatCompletionMessageParam]:
    turns: list[ChatCompletionMessageParam] = [{"role": "system", "content": prompt.system}]
    for turn in prompt.turns:
        if turn.role is Role.USER:
            turns.append({"role": "user", "content": turn.text})
        else:
            turns.append({"role": "assistant", "content": turn.text})
    return turns


@asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    """Turns what the SDK raises into a ModelFault."""
    try:
        yield
    except openai.APIStatusError as error:
        raise fault_of_status(error.status_code, str(error.code)) from error
    except openai.APIConnectionError as error:
        raise ModelUnavailable(type(error).__name__) from error
    except openai.APIError as error:
        raise ModelBroke(f"error event: {error.code}") from error
    except (httpx2.HTTPError, openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
        # Not JSON, or JSON of a wrong shape: the SDK builds its objects without checking them.
        raise ModelBroke(f"malformed stream: {type(error).__name__}") from error
