"""Claude, and whatever else speaks Anthropic's Messages protocol."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import anthropic
import httpx2
from anthropic.types import MessageParam, RawMessageStreamEvent

from services.chat_svc.domain.conversation import FinishReason, Role, Usage
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import Model, ModelBroke, ModelRefused, ModelUnavailable
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers.provider import CONNECT_SECONDS, READ_SECONDS, fault_of_status

LENGTH_REASONS = frozenset({"max_tokens", "model_context_window_exceeded"})


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
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(self, prompt: Prompt) -> AsyncGenerator[str | Completed, None]:
        ending = _Ending()
        async with _faults():
            stream = await self._client.messages.create(
                model=self.model.provider_model,
                max_tokens=self.model.output_tokens_max,
                system=prompt.system,
                messages=[_message(turn) for turn in prompt.turns],
                stream=True,
            )
            async with stream:
                async for event in stream:
                    # By `type` and not by class: the SDK gives events that it does not know as the first class it has.
                    if event.type == "content_block_delta" and event.delta.type == "text_delta" and event.delta.text:
                        yield event.delta.text
                    elif event.type == "message_stop" and ending.reason is not None:
                        yield ending.completed()
                        return
                    else:
                        ending.take(event)


class _Ending:
    """What the stream says of its end: the reason, and tokens that come in two parts."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self._input_tokens = 0
        self._output_tokens = 0

    def take(self, event: RawMessageStreamEvent) -> None:
        if event.type == "message_start":
            usage = event.message.usage
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            self._input_tokens = usage.input_tokens + cached
        elif event.type == "message_delta":
            self._output_tokens = event.usage.output_tokens
            reason = event.delta.stop_reason
            if reason == "refusal":
                raise ModelRefused("the model refused")
            if reason is not None:
                self.reason = FinishReason.LENGTH if reason in LENGTH_REASONS else FinishReason.STOP

    def completed(self) -> Completed:
        assert self.reason is not None  # noqa: S101 (asked before)
        return Completed(self.reason, Usage(self._input_tokens, self._output_tokens))


def _message(turn: Turn) -> MessageParam:
    if turn.role is Role.USER:
        return {"role": "user", "content": turn.text}
    return {"role": "assistant", "content": turn.text}


@asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    """Turns what the SDK raises into a ModelFault."""
    try:
        yield
    except anthropic.APIStatusError as error:
        # An error event in mid-stream comes with the status 200 that the stream began with.
        if error.status_code == 200:
            raise ModelBroke(f"error event: {error.type}") from error
        raise fault_of_status(error.status_code, str(error.type)) from error
    except anthropic.APIConnectionError as error:
        raise ModelUnavailable(type(error).__name__) from error
    except (httpx2.HTTPError, anthropic.AnthropicError, ValueError, AttributeError) as error:
        # Not JSON, or JSON of a wrong shape: the SDK builds its objects without checking them.
        raise ModelBroke(f"malformed stream: {type(error).__name__}") from error
