"""`scenemesh transcribe` and `scenemesh speak`."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.message import Message

from cli.caller import Answer, Caller, Method
from cli.files import Output, write
from cli.media.keep import full, kept
from cli.text import printable
from scenemesh.chat.v1 import media_pb2
from scenemesh.chat.v1.media_pb2_grpc import MediaServiceStub

# The edge lets a model think for a minute.
MODEL_SECONDS = 65.0


def transcribe(
    caller: Caller,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or media/… of one that is kept.")],
    language: Annotated[str, typer.Option(help="What is spoken, such as en; without it, it is recognised.")] = "",
) -> None:
    """Write down what is said in a recording. Every minute begun costs."""
    name = full(file) if file.startswith("media/") else kept(caller, Path(file)).name
    request = media_pb2.TranscribeRequest(name=name, language=language, request_id=str(uuid4()))
    answer = _asked(caller, lambda channel: MediaServiceStub(channel).Transcribe, request)
    caller.tell(answer, lambda: typer.echo(printable(answer.text)))
    if not caller.as_json:
        paid = f"paid {answer.charged} for {answer.seconds:.0f} s, {printable(answer.model)}"
        typer.echo(paid, err=True)


def speak(
    caller: Caller,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="conversations/…/messages/… of a character's.")],
    output: Output,
    voice: Annotated[str, typer.Option(help="A voice of the model's; without it, the character's.")] = "",
) -> None:
    """Read a character's message aloud, into an MP3 file. Every 1,000 characters begun cost, once for each voice."""
    request = media_pb2.SpeakRequest(name=message, voice=voice)
    write(caller, _asked(caller, lambda channel: MediaServiceStub(channel).Speak, request), output)


def _asked(caller: Caller, method: Method[Answer], request: Message) -> Answer:
    """What a model makes of it, which takes longer than other answers."""

    async def call() -> Answer:
        client = caller.client()
        async with client.channel() as channel:
            return await method(channel)(request, timeout=MODEL_SECONDS, metadata=client.metadata)

    return asyncio.run(call())
