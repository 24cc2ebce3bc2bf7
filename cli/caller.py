"""What commands that call the edge have in common: who asks, where, and in which form the answer is told."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc
import typer
from google.protobuf.message import Message

from cli import client, issuer
from cli.client import CALL_SECONDS, Client
from cli.failures import of_call, reported, unknown
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.pages import Page, listed
from cli.pages import Request as Listing
from cli.text import to_json

# A change asks a provider on the web, for as long as the edge lets it.
CHANGE_SECONDS = 20.0
# Before each new attempt at a change whose answer was lost: its request id makes sure that it happens once.
PAUSES_SECONDS = (0.5, 1.0, 2.0)
LOST = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})
# How gRPC says that there was no connection to begin with.
UNSENT = "failed to connect"
PERHAPS = "It may have happened all the same: look before you say it again."
# The same request is at work.
RUNNING = "REQUEST_RUNNING"

Own = ParamSpec("Own")
Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)
# Finds a method on a channel, for example `lambda channel: QuotaServiceStub(channel).GetQuota`.
Method = Callable[[grpc.aio.Channel], Callable[..., Awaitable[Answer]]]


@dataclass(frozen=True)
class Caller:
    """Who runs a command, as the options say. What fails is a Failure."""

    user: str | None
    token: str | None = field(repr=False)
    url: str | None
    state: Path
    as_json: bool

    def client(self, role: Role = Role.USER) -> Client:
        """The edge, and a token of the local issuer with this role where no other token was given."""
        return client.somebody(self.state, self.url, self.token, self.user, role)

    def anybody(self) -> Client:
        """The edge for what needs no token: with one all the same, where there is one or somebody to give it."""
        if self.token is None and self.user is None and not issuer.known(self.state):
            return client.anybody(self.state, self.url)
        return self.client()

    def ask(self, method: Method[Answer], request: Message, role: Role = Role.USER) -> Answer:
        return asyncio.run(called(self.client(role), method, request))

    def pages(self, method: Method[Page], request: Listing, every: bool, role: Role = Role.USER) -> Page:
        """The first page of a list, or with `every` all of it."""
        return asyncio.run(_listed(self.client(role), method, request, every))

    def change(self, method: Method[Answer], request: Message, role: Role = Role.USER) -> Answer:
        """Asks for a change that carries a request id, again while its answer gets lost."""
        return asyncio.run(called(self.client(role), method, request, change=True))

    def tell(self, answer: Message, show: Callable[[], object]) -> None:
        """The answer as JSON for programs; `show` shows it to people."""
        if self.as_json:
            typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        else:
            show()


def calling(function: Callable[Concatenate[Caller, Own], None]) -> Callable[..., None]:
    """The function as a command: its own options, and after them those that make a Caller, which it gets first.

    A Failure in it is told, and gives the exit code.
    """

    def command(
        user: User = None,
        token: Token = None,
        url: Url = None,
        state: State = STATE_DEFAULT,
        as_json: Json = False,
        **own: Any,
    ) -> None:
        with reported(as_json):
            function(Caller(user, token, url, state, as_json), **own)  # type: ignore[call-arg]

    _, *owned = inspect.signature(function, eval_str=True).parameters.values()
    *shared, _ = inspect.signature(command, eval_str=True).parameters.values()
    every = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*owned, *shared)]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {one.name: one.annotation for one in every}
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    return command


async def called(client: Client, method: Method[Answer], request: Message, *, change: bool = False) -> Answer:
    """What `Caller.ask` or, for a `change`, `Caller.change` does; for those who have more to ask."""
    seconds, pauses = (CHANGE_SECONDS, PAUSES_SECONDS) if change else (CALL_SECONDS, ())
    async with client.channel() as channel:
        call = method(channel)
        for pause_seconds in (*pauses, None):
            try:
                return await call(request, timeout=seconds, metadata=client.metadata)
            except grpc.aio.AioRpcError as error:
                if not _lost(error) or not change:
                    raise
                if pause_seconds is None:
                    raise replace(of_call(error, client.url), hint=PERHAPS) from error
            await asyncio.sleep(pause_seconds)
    raise AssertionError


async def _listed(client: Client, method: Method[Page], request: Listing, every: bool) -> Page:
    async with client.channel() as channel:
        call = partial(method(channel), timeout=CALL_SECONDS, metadata=client.metadata)
        return await listed(call, request, every)


def _lost(error: grpc.aio.AioRpcError) -> bool:
    """Whether it may have happened, or still happens. What was never sent, or is refused by a service, has not."""
    if of_call(error, "").reason == RUNNING:
        return True
    return error.code() in LOST and unknown(error) and UNSENT not in (error.details() or "")
