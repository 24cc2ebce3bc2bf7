"""Model providers, one a wire. The SDKs stay in here."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from services.chat_svc.domain.model import Model, Wire
from services.chat_svc.providers.anthropic import Anthropic
from services.chat_svc.providers.openai import OpenAI
from services.chat_svc.providers.provider import Provider

WIRES: dict[Wire, type[Anthropic] | type[OpenAI]] = {Wire.ANTHROPIC: Anthropic, Wire.OPENAI: OpenAI}


@asynccontextmanager
async def opened(reachable: Iterable[tuple[Model, str]]) -> AsyncIterator[tuple[Provider, ...]]:
    """A provider for each model and its key, in the same order. Their connections close with the block."""
    async with AsyncExitStack() as stack:
        providers = []
        for model, key in reachable:
            provider = WIRES[model.wire](model, key)
            stack.push_async_callback(provider.close)
            providers.append(provider)
        yield tuple(providers)


__all__ = ["Provider", "opened"]
