"""`scenemesh chat`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Annotated

import grpc
import typer

from cli import answers, client, conversations
from cli.client import CALL_SECONDS, Client
from cli.conversations import Conversation
from cli.failures import ExitCode, Failure, calls_to, checked, reported, tell
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.transcript import JsonTranscript, Transcript
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub

Ending = chat_pb2.Finished | chat_pb2.Failed

SOMEBODY = "Somebody"

# These end a conversation: saying something else would not help.
FINAL = frozenset({ExitCode.NOT_RUNNING, ExitCode.REFUSED, ExitCode.QUOTA_EXHAUSTED})


def chat(
    character: Annotated[str, typer.Argument(help="sherlock-holmes, a name, or customCharacters/….")],
    message: Annotated[str | None, typer.Argument(help="What to say; without it, a conversation begins.")] = None,
    others: Annotated[
        list[str] | None, typer.Option("--with", metavar="CHARACTER", help="One more, up to seven: a group.")
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Go on with this one, conversations/….")] = None,
    model: Annotated[str, typer.Option(help="Who should answer: see `scenemesh models`.")] = "",
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Talk to a character or a group. An empty line or Ctrl-D ends; Ctrl-C stops watching; answers go on without us."""
    with reported(as_json):
        if message is not None and not message.strip():
            raise Failure("A message says something.", ExitCode.USAGE, "INVALID_ARGUMENT")
        edge = client.somebody(state, url, token, user)
        with calls_to(edge.url), asyncio.Runner() as runner, _connected(runner, edge) as channel:
            opened = runner.run(conversations.opened(edge, channel, [character, *(others or [])], conversation))
            transcript = JsonTranscript() if as_json else Transcript()
            session = Session(edge, channel, runner, opened, transcript, model)
            try:
                transcript.opened(opened)
                code = session.converse() if message is None else session.say(message)
            finally:
                session.leave()
    raise typer.Exit(code)


@dataclass
class Session:
    """A conversation at the terminal.

    The event loop runs only during a turn, so that Ctrl-C at the prompt ends the command as people expect.
    `said` is whether anything may have been said in it by this command.
    """

    edge: Client
    channel: grpc.aio.Channel
    runner: asyncio.Runner
    conversation: Conversation
    transcript: Transcript
    model: str = ""
    said: bool = False

    def converse(self) -> ExitCode:
        """Turn after turn, until an empty line; how the last one ended."""
        code = ExitCode.OK
        if isinstance(sys.stdin, TextIOWrapper):
            # What is no text is refused like anything else that cannot be said.
            sys.stdin.reconfigure(errors="surrogateescape")
        while text := _line(self.transcript.prompt):
            try:
                code = self.say(text)
            except Failure as failure:
                if failure.exit_code in FINAL:
                    raise
                tell(failure, self.transcript.as_json)
                code = failure.exit_code
        return code

    def say(self, text: str) -> ExitCode:
        """One turn."""
        try:
            return self.runner.run(self._turn(checked(text)))
        except KeyboardInterrupt:
            self.transcript.left(self.conversation)
            return ExitCode.INTERRUPTED

    def leave(self) -> None:
        """Deletes the conversation again that was opened for this, where nothing can have been said in it."""
        fresh = self.conversation.fresh
        if fresh is None or self.said:
            return
        if self.runner.run(conversations.discarded(self.edge, self.channel, fresh)):
            self.transcript.discarded()

    async def _turn(self, text: str) -> ExitCode:
        last, ends, said_before = chat_pb2.ChatEvent(), list[Ending](), self.said
        self.said = True
        answer = answers.events(self.edge, self.channel, self.conversation.name, text, model=self.model)
        with calls_to(self.edge.url), self.transcript.turn():
            try:
                async with aclosing(answer) as events:
                    async for last in events:
                        if last.HasField("started") and self.conversation.is_group and not self.transcript.as_json:
                            self.transcript.speaks(await self._speaker(last.message))
                        self.transcript.event(last)
                        if end := _ending(last):
                            ends.append(end)
            except grpc.aio.AioRpcError as error:
                if not last.message and answers.refused(error):
                    self.said = said_before
                raise
        if not self.transcript.as_json:
            for paid in _paid_together(ends):
                await self._paid(paid)
        return ExitCode.OK if last.HasField("finished") else ExitCode.FAILED

    async def _speaker(self, answer: str) -> str:
        """Who gives an answer of a group, as far as that can be learned."""
        request = chat_pb2.GetMessageRequest(name=answer)
        stub = ChatServiceStub(self.channel)
        try:
            message = await stub.GetMessage(request, timeout=CALL_SECONDS, metadata=self.edge.metadata)
        except grpc.aio.AioRpcError:
            return SOMEBODY
        return self.conversation.speakers.get(message.character, SOMEBODY)

    async def _paid(self, paid: list[Ending]) -> None:
        """Tells what answers cost that one meter paid for, and what is left of it, as far as that can be learned."""
        request = quota_pb2.GetQuotaRequest(name="users/me/quota")
        receipt, meter = _sum(paid), None
        try:
            answer = await QuotaServiceStub(self.channel).GetQuota(
                request, timeout=CALL_SECONDS, metadata=self.edge.metadata
            )
            meter = next((one for one in answer.meters if one.meter == receipt.meter), None)
        except grpc.aio.AioRpcError:
            pass  # the answer is there; it is not worth less for that
        models = dict.fromkeys(end.message.model for end in paid if end.message.model)
        self.transcript.paid(receipt, ", ".join(models), meter)


def _ending(event: chat_pb2.ChatEvent) -> Ending | None:
    """How an answer ended; None while it goes on."""
    if event.HasField("finished"):
        return event.finished
    return event.failed if event.HasField("failed") else None


def _paid_together(ends: list[Ending]) -> list[list[Ending]]:
    """The answers by the meter that paid for them."""
    meters = dict.fromkeys(end.receipt.meter for end in ends)
    return [[end for end in ends if end.receipt.meter == meter] for meter in meters]


def _sum(paid: list[Ending]) -> chat_pb2.Receipt:
    """One receipt for answers that the same meter paid for."""
    receipt = chat_pb2.Receipt(meter=paid[0].receipt.meter, charged=sum(end.receipt.charged for end in paid))
    used = [end.receipt.usage for end in paid if end.receipt.HasField("usage")]
    if used:
        receipt.usage.input_tokens = sum(one.input_tokens for one in used)
        receipt.usage.output_tokens = sum(one.output_tokens for one in used)
    return receipt


@contextmanager
def _connected(runner: asyncio.Runner, edge: Client) -> Iterator[grpc.aio.Channel]:
    async def opened() -> grpc.aio.Channel:
        return edge.open()

    channel = runner.run(opened())
    try:
        yield channel
    finally:
        runner.run(channel.close())


def _line(prompt: str) -> str:
    """What is typed next; empty at the end."""
    try:
        return input(prompt if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        typer.echo(err=True)
        return ""
