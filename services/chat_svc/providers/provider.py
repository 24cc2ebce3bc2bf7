"""What every provider gives."""

from collections.abc import AsyncGenerator
from typing import Protocol

from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.prompt import Prompt

CONNECT_SECONDS = 5.0
# The SDKs' own limit on silence; the ones that count are shorter and stand with the model.
READ_SECONDS = 120.0


class Provider(Protocol):
    """One model behind its SDK."""

    @property
    def model(self) -> Model: ...

    def answer(self, prompt: Prompt, prefix: str = "", pause: Pause = at_once) -> AsyncGenerator[str | Completed, None]:
        """The answer's pieces as they come, none empty, then Completed.

        Where there are pauses in between, what came in one is one piece.

        With `prefix`, the model goes on with an answer that another one began: the pieces are what follows it. Only a
        model with Capability.PREFILL may get one, and without whitespace at its end; PrefillRejected if it will not.

        Raises ModelFault: Cut where the stream ends before the model has said that it is done. An answer without any
        piece is an answer here.
        """
        ...

    async def close(self) -> None: ...
