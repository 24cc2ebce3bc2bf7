"""A conversation on the terminal: the answer on stdout, everything about it on stderr."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli import decision
from cli.conversations import Conversation
from cli.text import printable, to_json
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2


class Transcript:
    """For people."""

    prompt = "you: "
    as_json = False

    def __init__(self) -> None:
        self._speaker = ""
        self._is_group = False
        self._line_open = False

    def opened(self, conversation: Conversation) -> None:
        self._is_group = conversation.is_group
        self._speaker = ", ".join(printable(one) for one in conversation.speakers.values())
        origin = f" ({printable(conversation.origin)})" if conversation.origin else ""
        _aside(f"{self._speaker}{origin}, {conversation.name}")

    def speaks(self, speaker: str) -> None:
        """Who of a group gives the next answer."""
        self._speaker = printable(speaker)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around one answer: whatever ends it, what is told next begins on a new line."""
        try:
            yield
        finally:
            if self._line_open:
                typer.echo()
                self._line_open = False

    def event(self, event: chat_pb2.ChatEvent) -> None:
        match event.WhichOneof("event"):
            case "started":
                if self._line_open:
                    typer.echo()
                # Of a group, who says it is a part of what is said.
                typer.secho(f"{self._speaker}: ", nl=False, bold=True, err=not self._is_group)
                self._line_open = True
            case "delta":
                typer.echo(printable(event.delta.text), nl=False)
            case "seam" if event.seam.mode == chat_pb2.SEAM_MODE_REPLACED:
                typer.echo()
                _aside(f"{printable(event.seam.from_model)} broke off. {printable(event.seam.to_model)} begins anew:")
            case "delayed":
                # What is said goes on behind it, so that stdout has the answer alone.
                _aside("\nWhat is said cannot be read here just now. It goes on, and what is missing comes later:")
            case "failed":
                typer.echo()
                self._line_open = False
                typer.echo(f"scenemesh: {printable(event.failed.description)}", err=True)

    def paid(self, receipt: chat_pb2.Receipt, model: str, meter: quota_pb2.Decision | None) -> None:
        """What a turn cost, and what is left; `meter` is None when that could not be learned."""
        parts = [f"paid {receipt.charged} {receipt.meter}".rstrip()]
        if meter is not None:
            parts.append(f"{decision.left(meter)} left")
        if meter is not None and meter.HasField("reset_time"):
            parts.append(f"anew {decision.resets(meter)}")
        if receipt.HasField("usage"):
            parts.append(f"{receipt.usage.input_tokens} + {receipt.usage.output_tokens} tokens")
        _aside(", ".join([*parts, printable(model)] if model else parts))

    def left(self, conversation: Conversation) -> None:
        """The watcher went; the answer goes on."""
        _aside(f"Stopped watching. The answer goes on in {conversation.name}.")

    def discarded(self) -> None:
        """The conversation is gone again."""
        _aside("Nothing was said, so the conversation was not kept.")


class JsonTranscript(Transcript):
    """For programs: one event a line."""

    prompt = ""
    as_json = True

    def event(self, event: chat_pb2.ChatEvent) -> None:
        typer.echo(json.dumps(to_json(event), ensure_ascii=False))


def _aside(text: str) -> None:
    typer.secho(text, dim=True, err=True)
