"""`scenemesh sync file`."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import grpc
import typer

from cli import client
from cli.client import Client
from cli.failures import ExitCode, Failure, reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.sync.bars import Step
from cli.sync.watch import Detach, Watch
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc

# What the service takes.
SIZE_BYTES_MAX = 256 * 1024**2
CHUNK_BYTES = 64 * 1024
COLLECTION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
COLLECTION_LENGTH_MAX = 60
UPLOAD_SECONDS = 600.0
HEARD_SECONDS = 1.0
GZIP = b"\x1f\x8b"


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


FORMATS = {
    Format.CSV: catalog_pb2.ImportCatalogRequest.FORMAT_CSV,
    Format.JSONL: catalog_pb2.ImportCatalogRequest.FORMAT_JSONL,
}
ENDINGS = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}


def file(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="CSV or JSONL, perhaps with gzip; docs/catalogue.md says how it looks."),
    ],
    collection: Annotated[
        str | None, typer.Option(help="What its titles are called together; what it held before is replaced.")
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="By default what the file's name ends with.")] = None,
    detach: Detach = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Bring the titles and characters of a file, instead of those that an earlier file of the collection brought."""
    with reported(as_json):
        edge = client.somebody(state, url, token, user, Role.OPERATOR)
        header = catalog_pb2.ImportCatalogRequest.Header(
            collection=_collection(path, collection),
            format=FORMATS[form or _format(path)],
            request_id=str(uuid.uuid4()),
        )
        with _opened(path) as content:
            code = Watch(edge, as_json).follow(Upload(path, content, header), detach)
    raise typer.Exit(code)


@dataclass(frozen=True)
class Upload:
    """Begins a sync with a file's content."""

    path: Path
    content: BinaryIO
    header: catalog_pb2.ImportCatalogRequest.Header

    async def __call__(self, client: Client, channel: grpc.aio.Channel, step: Step) -> catalog_pb2.Sync:
        size = self._size()
        chunk = await self._chunk()
        self.header.gzip = chunk.startswith(GZIP)
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        call = stub.ImportCatalog(timeout=UPLOAD_SECONDS, metadata=client.metadata)
        try:
            await call.write(catalog_pb2.ImportCatalogRequest(header=self.header))
            await _heard(call)
            sent = 0
            while chunk:
                await call.write(catalog_pb2.ImportCatalogRequest(chunk=chunk))
                sent += len(chunk)
                step("upload, bytes", sent, size)
                chunk = await self._chunk()
            await call.done_writing()
        except asyncio.InvalidStateError:
            pass  # the service has answered before the end; its answer says why
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.INTERNAL:
                raise
            message = "The upload was broken off by the other side."
            raise Failure(message, hint="`scenemesh sync list` shows whether anything began.") from error
        return await call

    def _size(self) -> int:
        """Failure where it makes no sense to begin."""
        size = os.fstat(self.content.fileno()).st_size
        if size > SIZE_BYTES_MAX:
            message = f"{self.path} has {size:,} bytes; {SIZE_BYTES_MAX:,} are the most."
            raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT", hint="gzip makes it smaller.")
        if not size:
            raise Failure(f"{self.path} is empty.", ExitCode.USAGE, "INVALID_ARGUMENT")
        return size

    async def _chunk(self) -> bytes:
        with _readable(self.path):
            return await asyncio.to_thread(self.content.read, CHUNK_BYTES)


async def _heard(call: grpc.aio.StreamUnaryCall[Any, Any]) -> None:
    """Gives the service time to refuse the header: gRPC loses the reason once we write to a call that has ended."""
    ended = asyncio.create_task(call.code())
    await asyncio.wait({ended}, timeout=HEARD_SECONDS)
    ended.cancel()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.exists() and not path.is_file():
        raise Failure(f"{path} is not a file.", ExitCode.USAGE, "INVALID_ARGUMENT")
    with _readable(path):
        content = path.open("rb")
    with content:
        yield content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.", ExitCode.USAGE, "INVALID_ARGUMENT") from error


def _collection(path: Path, given: str | None) -> str:
    """What is given, or the file's name as far as it can be one."""
    name = given if given is not None else "-".join(re.findall("[a-z0-9]+", _plain(path).stem.lower()))
    if not COLLECTION.fullmatch(name) or len(name) > COLLECTION_LENGTH_MAX:
        rule = f"at most {COLLECTION_LENGTH_MAX} lower-case letters, digits and single hyphens between them"
        hint = "" if given is not None else "Name one with --collection."
        raise Failure(f"{name!r} cannot be a collection: {rule}.", ExitCode.USAGE, "INVALID_ARGUMENT", hint=hint)
    return name


def _format(path: Path) -> Format:
    found = ENDINGS.get(_plain(path).suffix.lower())
    if found is None:
        message = f"The name of {path} does not say whether it is CSV or JSONL."
        raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT", hint="Say --format csv or --format jsonl.")
    return found


def _plain(path: Path) -> Path:
    """The path without the ending that gzip gives."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path
