"""`scenemesh chat`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Annotated

import grpc
import typer

from cli import answers, client, conversations
from cli.client import CALL_SECONDS, Client
from cli.conversations import Conversation
from cli.failures import ExitCode, Failure, calls_to, reported, tell
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.transcript import JsonTranscript, Transcript
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub

# These end a conversation: saying something else would not help.
FINAL = frozenset({ExitCode.NOT_RUNNING, ExitCode.REFUSED, ExitCode.QUOTA_EXHAUSTED})


def chat(
    character: Annotated[str, typer.Argument(help="sherlock-holmes, characters/sherlock-holmes, or a name.")],
    message: Annotated[str | None, typer.Argument(help="What to say; without it, a conversation begins.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Go on with this one, conversations/….")] = None,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Talk to a character. An empty line or Ctrl-D ends; Ctrl-C stops watching an answer, which goes on without us."""
    with reported(as_json):
        edge = client.somebody(state, url, token, user)
        with calls_to(edge.url), asyncio.Runner() as runner, _connected(runner, edge) as channel:
            opened = runner.run(conversations.opened(edge, channel, character, conversation))
            transcript = JsonTranscript() if as_json else Transcript()
            transcript.opened(opened)
            session = Session(edge, channel, runner, opened, transcript)
            code = session.converse() if message is None else session.say(message)
    raise typer.Exit(code)


@dataclass(frozen=True)
class Session:
    """A conversation at the terminal.

    The event loop runs only during a turn, so that Ctrl-C at the prompt ends the command as people expect.
    """

    edge: Client
    channel: grpc.aio.Channel
    runner: asyncio.Runner
    conversation: Conversation
    transcript: Transcript

    def converse(self) -> ExitCode:
        """Turn after turn, until an empty line; how the last one ended."""
        code = ExitCode.OK
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
            return self.runner.run(self._turn(text))
        except KeyboardInterrupt:
            self.transcript.left(self.conversation)
            return ExitCode.INTERRUPTED

    async def _turn(self, text: str) -> ExitCode:
        last = chat_pb2.ChatEvent()
        said = answers.events(self.edge, self.channel, self.conversation.name, text)
        with calls_to(self.edge.url), self.transcript.turn():
            async with aclosing(said) as events:
                async for last in events:
                    self.transcript.event(last)
        if not self.transcript.as_json:
            await self._paid(last.finished if last.HasField("finished") else last.failed)
        return ExitCode.OK if last.HasField("finished") else ExitCode.FAILED

    async def _paid(self, end: chat_pb2.Finished | chat_pb2.Failed) -> None:
        """Tells what the turn cost and what is left, as far as that can be learned."""
        request = quota_pb2.GetQuotaRequest(name="users/me/quota")
        meter = None
        try:
            answer = await QuotaServiceStub(self.channel).GetQuota(
                request, timeout=CALL_SECONDS, metadata=self.edge.metadata
            )
            meter = next((one for one in answer.meters if one.meter == end.receipt.meter), None)
        except grpc.aio.AioRpcError:
            pass  # the answer is there; it is not worth less for that
        self.transcript.paid(end.receipt, end.message.model, meter)


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
