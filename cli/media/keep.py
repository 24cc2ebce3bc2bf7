"""`scenemesh media add` and `scenemesh media get`."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from cli.caller import Caller
from cli.files import Output, content, write
from cli.text import printable
from scenemesh.chat.v1 import media_pb2
from scenemesh.chat.v1.media_pb2_grpc import MediaServiceStub

Name = Annotated[str, typer.Argument(metavar="NAME", help="media/….")]


def full(name: str) -> str:
    return f"media/{name.removeprefix('media/')}"


def add(
    caller: Caller,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A PNG, JPEG, WebP, GIF, or a recording.")],
) -> None:
    """Keep an image or a recording, and print its name. What no message shows is deleted after a day."""
    media = kept(caller, file)
    caller.tell(media, lambda: typer.echo(printable(media.name)))
    if not caller.as_json:
        size = f", {media.width} x {media.height} pixels" if media.width else ""
        typer.echo(f"{printable(media.content_type)}{size}, {media.size_bytes:,} bytes", err=True)


def get(caller: Caller, name: Name, output: Output) -> None:
    """Write one of your images or recordings to a file."""
    request = media_pb2.GetMediaRequest(name=full(name))
    write(caller, caller.ask(lambda channel: MediaServiceStub(channel).GetMedia, request), output)


def kept(caller: Caller, file: Path) -> media_pb2.Media:
    """A file of this machine as one of the caller's media."""
    request = media_pb2.CreateMediaRequest(content=content(file), request_id=str(uuid4()))
    return caller.change(lambda channel: MediaServiceStub(channel).CreateMedia, request)
