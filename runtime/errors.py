"""What can go wrong, as values.

    MeshError
    ├── InvalidArgument      the request breaks a rule; never worth a retry
    ├── Unauthenticated      nobody knows who calls
    ├── PermissionDenied     the caller may not do this
    ├── NotFound             it does not exist, or belongs to somebody else
    ├── AlreadyExists        the id is taken by something different
    ├── FailedPrecondition   its state does not allow this
    ├── Aborted              something else is in the way just now; start the operation again
    ├── OutOfRange           a figure is beyond what is there
    ├── ResourceExhausted    a limit is reached
    │   ├── QuotaExhausted   a meter is empty
    │   └── Overloaded       too much waits already; worth a retry, later
    ├── DeadlineExceeded     it took too long
    ├── Unavailable          something is down; worth a retry
    └── Internal             a defect of ours; the caller learns nothing but the request id

An error is raised where it is known, with a sentence for a person and a reason for a program. Only the errors
interceptor turns it into a status.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from google.protobuf.message import Message


class Code(IntEnum):
    """The gRPC status codes that our errors have, by their numbers on the wire."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@dataclass(frozen=True)
class Violation:
    """One field that breaks a rule: its path (`conversation.character`) and what is wrong with it."""

    field: str
    description: str


class MeshError(Exception):
    """The root. `reason` is UPPER_SNAKE_CASE and stable; `message` is a sentence that may change.

    `details` are messages of the contract that say more than a reason can; they travel in `google.rpc.Status.details`.
    """

    code: ClassVar[Code] = Code.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        metadata: Mapping[str, str] | None = None,
        details: Sequence[Message] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.details = tuple(details)


class InvalidArgument(MeshError):
    code = Code.INVALID_ARGUMENT

    def __init__(self, message: str, *, reason: str = "INVALID_ARGUMENT", violations: Sequence[Violation] = ()) -> None:
        super().__init__(message, reason=reason)
        self.violations = tuple(violations)


class Unauthenticated(MeshError):
    code = Code.UNAUTHENTICATED


class PermissionDenied(MeshError):
    code = Code.PERMISSION_DENIED


class NotFound(MeshError):
    code = Code.NOT_FOUND


class AlreadyExists(MeshError):
    code = Code.ALREADY_EXISTS


class FailedPrecondition(MeshError):
    code = Code.FAILED_PRECONDITION


class Aborted(MeshError):
    code = Code.ABORTED


class OutOfRange(MeshError):
    code = Code.OUT_OF_RANGE


class ResourceExhausted(MeshError):
    code = Code.RESOURCE_EXHAUSTED


class QuotaExhausted(ResourceExhausted):
    """A meter is empty; `subject` is what ran out (`users/42/meters/chat`)."""

    def __init__(
        self, message: str, *, subject: str, metadata: Mapping[str, str], details: Sequence[Message] = ()
    ) -> None:
        super().__init__(message, reason="QUOTA_EXHAUSTED", metadata=metadata, details=details)
        self.subject = subject


class Overloaded(ResourceExhausted):
    """Too much waits already. `retry_after_seconds` reaches gRPC clients as their retry pushback, too."""

    def __init__(self, message: str, *, reason: str, retry_after_seconds: float) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(MeshError):
    code = Code.DEADLINE_EXCEEDED


class Unavailable(MeshError):
    """`retry_after_seconds` is how long a caller should wait before trying again."""

    code = Code.UNAVAILABLE

    def __init__(self, message: str, *, reason: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_seconds = retry_after_seconds


class Internal(MeshError):
    code = Code.INTERNAL
