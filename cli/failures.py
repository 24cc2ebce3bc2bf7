"""Why a command failed: a sentence for a person, a value for a program, an exit code for a script."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import grpc
import typer
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from cli.decision import unlocks
from cli.text import printable, to_json
from scenemesh.quota.v1 import quota_pb2


class ExitCode(IntEnum):
    """What a command's exit code says. 2 is also what a wrong option or argument gives."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    REFUSED = 4
    QUOTA_EXHAUSTED = 5
    INTERRUPTED = 130


EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running or not reachable, 4 refused (who you are or what you "
    "may do), 5 quota exhausted, 130 stopped with Ctrl-C."
)

EXIT_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: ExitCode.USAGE,
    grpc.StatusCode.UNAVAILABLE: ExitCode.NOT_RUNNING,
    grpc.StatusCode.UNAUTHENTICATED: ExitCode.REFUSED,
    grpc.StatusCode.PERMISSION_DENIED: ExitCode.REFUSED,
}

# How the edge says that a service broke off or was late; the reason is then no other than the code.
BROKEN_OFF = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

# What to do next, by the error's reason or, where a reason says nothing about that, by its code. Who is refused for too
# much at once (RESOURCE_EXHAUSTED) is told by the sentence itself for how long.
HINTS = {
    "QUOTA_EXHAUSTED": "`scenemesh quota` shows when it starts anew, `scenemesh billing plans` what more costs.",
    "QUEUE_FULL": "Too many want something just now: try again in a moment.",
    "CHARACTER_NOT_FOUND": (
        "`scenemesh search NAME --kind character` finds one, `scenemesh characters list` shows your own."
    ),
    "CONVERSATION_NOT_FOUND": "`scenemesh conversations list` shows yours.",
    "MESSAGE_NOT_FOUND": "`scenemesh conversations show CONVERSATION --all` shows those that there are.",
    "MODEL_NOT_FOUND": "`scenemesh models` shows those that there are.",
    "NO_MODEL_FOR_SPEECH": "docs/media.md says how to bring one.",
    "NO_MODEL_FOR_TRANSCRIPTION": "docs/media.md says how to bring one.",
    "TOO_LARGE": "`scenemesh conversations show CONVERSATION` shows its chosen branch, with --all every one of them.",
    "TOO_MANY_CHARACTERS": "`scenemesh characters delete NAME` makes room.",
    "ANSWER_IN_PROGRESS": "Wait until the character has finished, then say it again.",
    "INDEX_VERSION_NOT_FOUND": "`scenemesh index list` shows those that there are.",
    "INDEX_VERSION_UNUSABLE": "`scenemesh index list` shows those that are ready.",
    "SYNC_NOT_FOUND": "`scenemesh sync list` shows those that there are.",
    "SYNC_RUNNING": "`scenemesh sync list` shows it; wait for it, or cancel it.",
    "SUBSCRIBED": "`scenemesh billing change PLAN` moves you to another plan.",
    "NOT_SUBSCRIBED": "`scenemesh billing checkout PLAN` opens the page where one is bought.",
    "SUBSCRIPTION_ENDED": "`scenemesh billing checkout PLAN` opens the page where a new one is bought.",
    "SUBSCRIPTION_NOT_ACTIVE": "`scenemesh billing subscription` shows how it stands.",
    "MANAGED_BY_STORE": "Where it was bought is where it is changed.",
    "TRIAL_USED": "Leave --trial out.",
    "PLAN_NOT_FOUND": "`scenemesh billing plans` shows what there is.",
    "PACK_NOT_FOUND": "`scenemesh billing plans` shows what there is.",
    "NO_CUSTOMER": "`scenemesh billing checkout PLAN` opens the page of a first payment.",
    "NO_PAYMENT_METHOD": "`scenemesh billing checkout PACK` opens a page where it is paid for.",
    "AUTHENTICATION_REQUIRED": "`scenemesh billing checkout PACK` opens a page where the bank can ask you.",
    "PAYMENT_DECLINED": "Nothing was charged. `scenemesh billing portal` is where you change how you pay.",
    "PROVIDER_UNAVAILABLE": "Nothing is wrong here: the provider does not answer. Try again in a moment.",
    "PROVIDER_NOT_CONFIGURED": "docs/billing.md says what each provider needs.",
    "PROMO_CODE_EXISTS": "`scenemesh billing promo list` shows it.",
    "DELIVERY_NOT_FOUND": "`scenemesh billing deliveries` shows those that there are.",
    "RECONCILIATION_RUNNING": "Another one is at work: wait until it is done.",
    "UNAUTHENTICATED": "Unset SCENEMESH_TOKEN to be a user of the local issuer, or set it to a valid token.",
    "PERMISSION_DENIED": "`scenemesh token --role operator` gives a token of an operator of the local issuer.",
    "UNAVAILABLE": "`scenemesh status` shows what runs; try again in a moment.",
    "UNIMPLEMENTED": "Is this the address of a SceneMesh edge of this version?",
}


@dataclass(eq=False)
class Failure(Exception):
    """`code` is a gRPC status code's name or one of ours; `reason` is empty where nobody gave one.

    `decision` is how quota_svc decided, where that was the reason.
    """

    message: str
    exit_code: ExitCode = ExitCode.FAILED
    code: str = "FAILED"
    reason: str = ""
    hint: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    decision: quota_pb2.Decision | None = None

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"code": self.code, "reason": self.reason, "message": self.message, "hint": self.hint}
        told |= {"metadata": dict(self.metadata), "request_id": self.request_id}
        if self.decision is not None:
            told["decision"] = to_json(self.decision)
        return {"error": told}


def checked(text: str) -> str:
    """What somebody typed. A Failure where it is no text: bytes that are no UTF-8 can be sent to nobody."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Failure(f"{ascii(text)[:80]} is no text in UTF-8.", ExitCode.USAGE, "INVALID_ARGUMENT") from error
    return text


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Tells a failure of the block, as JSON on stdout or in words on stderr, and exits with its code."""
    try:
        yield
    except Failure as failure:
        tell(failure, as_json)
        raise typer.Exit(failure.exit_code) from failure


def tell(failure: Failure, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(failure.to_json(), ensure_ascii=False))
        return
    typer.echo(f"scenemesh: {printable(failure.message)}", err=True)
    for line in unlocks(failure.decision) if failure.decision is not None else ():
        typer.echo(line, err=True)
    if failure.hint:
        typer.echo(failure.hint, err=True)


@contextmanager
def calls_to(url: str) -> Iterator[None]:
    """Turns failed calls to the edge at `url` into a Failure."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise of_call(error, url) from error


def of_call(error: grpc.aio.AioRpcError, url: str) -> Failure:
    """What a failed call to the edge at `url` means."""
    code: grpc.StatusCode = error.code()
    status = status_of(error)
    if code is grpc.StatusCode.UNAVAILABLE and not status.details:
        message, hint = f"The edge at {url} cannot be reached.", "`scenemesh up` starts everything on this machine."
        return Failure(message, ExitCode.NOT_RUNNING, code.name, hint=hint)
    info, request, decision = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo(), quota_pb2.Decision()
    for detail in status.details:
        with suppress(DecodeError):
            _ = detail.Unpack(info) or detail.Unpack(request) or detail.Unpack(decision)
    exhausted = any(detail.Is(error_details_pb2.QuotaFailure.DESCRIPTOR) for detail in status.details)
    return Failure(
        message=error.details() or f"The edge answered {code.name}.",
        exit_code=ExitCode.QUOTA_EXHAUSTED if exhausted else EXIT_CODES.get(code, ExitCode.FAILED),
        code=code.name,
        reason=info.reason,
        hint=HINTS.get(info.reason) or HINTS.get(code.name, ""),
        metadata=dict(info.metadata),
        request_id=request.request_id,
        decision=decision if decision.meter else None,
    )


def unknown(error: grpc.aio.AioRpcError) -> bool:
    """Whether nobody knows what became of the call: a connection broke, or the service behind the edge broke off."""
    details = status_of(error).details
    if not details:
        return True
    # Where one may wait and say it again, whoever tells so has done nothing.
    again = any(one.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for one in details)
    return error.code() in BROKEN_OFF and of_call(error, "").reason == error.code().name and not again


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The status that a failed call carried; without details when it carried none, or nonsense."""
    try:
        carried = rpc_status.from_call(error)
    except (ValueError, DecodeError):
        carried = None
    return carried if carried is not None else status_pb2.Status(message=error.details() or "")
