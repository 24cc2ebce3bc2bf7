"""Idempotency: what a request makes has the request's id, and remembers what was asked for."""

from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

from runtime.errors import AlreadyExists

BYTES = 16

Made = TypeVar("Made")


def fingerprint(*asked: object) -> bytes:
    """Equal for requests that ask for the same."""
    return blake2b(repr(asked).encode(), digest_size=BYTES).digest()


def answered(request_id: UUID, asked: bytes, before: bytes | None, made: Made) -> Made:
    """What an earlier request of the same id made; ALREADY_EXISTS when it asked for something else."""
    if asked == before:
        return made
    raise AlreadyExists(
        "This request_id was used for another request; a new request needs a new one.",
        reason="REQUEST_ID_REUSED",
        metadata={"request_id": str(request_id)},
    )
