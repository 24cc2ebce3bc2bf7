"""What every provider gives."""

from collections.abc import AsyncGenerator
from typing import Protocol

from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import Model, ModelFault, ModelUnavailable, RequestRejected
from services.chat_svc.domain.prompt import Prompt

CONNECT_SECONDS = 5.0
# The SDKs' own limit on silence; the ones that count are shorter and stand in `speech.py`.
READ_SECONDS = 120.0

# The request itself is wrong, whoever is asked: bad request, content too large, unprocessable.
REJECTIONS = frozenset({400, 413, 422})


class Provider(Protocol):
    """One model behind its SDK."""

    @property
    def model(self) -> Model: ...

    def answer(self, prompt: Prompt) -> AsyncGenerator[str | Completed, None]:
        """The answer's pieces as they come, none empty, then Completed.

        Raises ModelFault. A stream that ends before the model has said that it is done ends without Completed.
        """
        ...

    async def close(self) -> None: ...


def fault_of_status(status: int, told: str) -> ModelFault:
    """What an HTTP error of a provider means."""
    kind = RequestRejected if status in REJECTIONS else ModelUnavailable
    return kind(f"HTTP {status}: {told}")
