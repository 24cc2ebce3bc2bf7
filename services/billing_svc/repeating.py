"""Requests that change something happen once, however often they are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from runtime.errors import MeshError
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.store.requests import Asked, Requests

Answer = TypeVar("Answer", bound=Message)
Change = (
    billing_pb2.CreateCheckoutSessionRequest
    | billing_pb2.ChangeSubscriptionRequest
    | billing_pb2.CancelSubscriptionRequest
    | billing_pb2.PauseSubscriptionRequest
    | billing_pb2.ResumeSubscriptionRequest
    | billing_pb2.BuyCreditsRequest
    | billing_pb2.RedeemPromoCodeRequest
)


class Repeating:
    """`clock` gives the present in UTC."""

    def __init__(self, requests: Requests, clock: Callable[[], datetime]) -> None:
        self._requests = requests
        self._clock = clock

    async def once(self, asked: Asked, answer: type[Answer], run: Callable[[bool], Awaitable[Answer]]) -> Answer:
        """The answer of `run`, or the one that it gave when the same request came before.

        `run` is told whether the request began before and did not end well: some of it may have happened.
        AlreadyExists (REQUEST_ID_REUSED), Aborted (REQUEST_RUNNING).
        """
        begun = await self._requests.begin(asked, self._clock())
        if begun.answer is not None:
            return answer.FromString(begun.answer)
        try:
            given = await run(begun.again)
        except BaseException:
            with suppress(MeshError):  # Its lease ends by itself.
                await self._requests.leave(asked, self._clock())
            raise
        await self._requests.finish(asked, given.SerializeToString())
        return given


def asked(user: str, request: Change) -> Asked:
    """A request of a user's: the same for the same content."""
    content = request.SerializeToString(deterministic=True)
    digest = sha256(f"{request.DESCRIPTOR.full_name}\n".encode() + content).digest()
    return Asked(user, UUID(request.request_id), digest)
