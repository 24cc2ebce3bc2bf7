"""Files that commands read and write."""

import json
from pathlib import Path
from typing import Annotated

import typer
from google.api.httpbody_pb2 import HttpBody

from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.text import printable

# What the edge takes of a picture or a recording; a larger file need not be sent to learn that.
MEDIA_BYTES_MAX = 2_621_440

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")]


def content(file: Path, bytes_max: int = MEDIA_BYTES_MAX) -> bytes:
    """The bytes of a file that is to be sent."""
    try:
        with file.open("rb") as opened:
            read = opened.read(bytes_max + 1)
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", ExitCode.USAGE, "INVALID_ARGUMENT") from error
    if len(read) > bytes_max:
        raise Failure(f"{file} is larger than {bytes_max / 2**20:g} MiB.", ExitCode.USAGE, "INVALID_ARGUMENT")
    return read


def write(caller: Caller, body: HttpBody, file: Path) -> None:
    """Writes what came, and says where it is."""
    try:
        file.write_bytes(body.data)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}.") from error
    if caller.as_json:
        told = {"content_type": body.content_type, "size_bytes": str(len(body.data)), "file": str(file)}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(f"{printable(body.content_type)}, {len(body.data):,} bytes, in {file}", err=True)
