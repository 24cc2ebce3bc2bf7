import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from cli.failures import ExitCode, of_call, tell, unknown
from runtime.errors import (
    Internal,
    InvalidArgument,
    MeshError,
    NotFound,
    QuotaExhausted,
    ResourceExhausted,
    Unavailable,
)
from runtime.status import ERROR_DOMAIN, to_proto
from scenemesh.quota.v1 import quota_pb2

URL = "http://localhost:1"
QUOTA = QuotaExhausted("None left.", subject="users/alice/meters/chat", metadata={"meter": "chat"})


def refused(error: MeshError) -> grpc.aio.AioRpcError:
    """How a client sees the error."""
    status = rpc_status.to_status(to_proto(error, "request-1"))
    trailing = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailing, status.details)


def bare(code: grpc.StatusCode, details: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


def edges(code: grpc.StatusCode, reason: str, retry_seconds: int = 0) -> grpc.aio.AioRpcError:
    """What the edge says by itself."""
    status = status_pb2.Status(code=code.value[0], message="A sentence.")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=ERROR_DOMAIN))
    if retry_seconds:
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=retry_seconds)))
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, status.message)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused(QUOTA), (ExitCode.QUOTA_EXHAUSTED, "RESOURCE_EXHAUSTED", "QUOTA_EXHAUSTED")),
        (refused(ResourceExhausted("Slow.", reason="RATE_LIMITED")), (1, "RESOURCE_EXHAUSTED", "RATE_LIMITED")),
        (refused(InvalidArgument("No.")), (2, "INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        (refused(NotFound("No.", reason="TITLE_NOT_FOUND")), (1, "NOT_FOUND", "TITLE_NOT_FOUND")),
        (refused(Unavailable("No.", reason="DATABASE_UNAVAILABLE")), (3, "UNAVAILABLE", "DATABASE_UNAVAILABLE")),
        (bare(grpc.StatusCode.UNAVAILABLE, "connect failed"), (3, "UNAVAILABLE", "")),
        (edges(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), (4, "UNAUTHENTICATED", "UNAUTHENTICATED")),
        (edges(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"), (4, "PERMISSION_DENIED", "PERMISSION_DENIED")),
        (edges(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"), (3, "UNAVAILABLE", "UNAVAILABLE")),
        (edges(grpc.StatusCode.UNIMPLEMENTED, "NOT_FOUND"), (1, "UNIMPLEMENTED", "NOT_FOUND")),
        (bare(grpc.StatusCode.DEADLINE_EXCEEDED), (1, "DEADLINE_EXCEEDED", "")),
    ],
    ids=lambda value: None,
)
def test_a_failed_call_has_an_exit_code_a_code_and_a_reason(
    error: grpc.aio.AioRpcError, told: tuple[int, str, str]
) -> None:
    failure = of_call(error, URL)
    assert (failure.exit_code, failure.code, failure.reason) == told


def test_a_failure_is_a_sentence_a_hint_and_what_the_service_said() -> None:
    assert of_call(refused(QUOTA), URL).to_json() == {
        "error": {
            "code": "RESOURCE_EXHAUSTED",
            "reason": "QUOTA_EXHAUSTED",
            "message": "None left.",
            "hint": "`scenemesh quota` shows when it starts anew, `scenemesh billing plans` what more costs.",
            "metadata": {"meter": "chat"},
            "request_id": "request-1",
        }
    }


def test_a_decision_is_told_with_what_it_unlocks(capsys: pytest.CaptureFixture[str]) -> None:
    decision = quota_pb2.Decision(
        meter="chat", unlocks=[quota_pb2.Unlock(plan="plans/creator", display_name="Creator", amount=100, period="day")]
    )
    failure = of_call(
        refused(QuotaExhausted("None left.", subject="users/a/meters/chat", metadata={}, details=[decision])), URL
    )
    assert failure.decision == decision
    assert failure.to_json()["error"]["decision"]["unlocks"][0]["amount"] == "100"
    tell(failure, as_json=False)
    assert capsys.readouterr().err.splitlines() == [
        "scenemesh: None left.",
        "  Creator: 100 per day (plans/creator)",
        "`scenemesh quota` shows when it starts anew, `scenemesh billing plans` what more costs.",
    ]


def test_details_that_are_nonsense_leave_the_status() -> None:
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff"))
    error = grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), trailing, "Nothing there.")
    failure = of_call(error, URL)
    assert (failure.code, failure.message) == ("NOT_FOUND", "Nothing there.")


def test_an_edge_that_is_away_is_told_apart_from_a_service_that_is() -> None:
    away, behind = bare(grpc.StatusCode.UNAVAILABLE, "failed to connect"), edges(grpc.StatusCode.UNAVAILABLE, "", 1)
    told = [of_call(error, URL).message for error in (away, behind)]
    assert told == ["The edge at http://localhost:1 cannot be reached.", "A sentence."]


@pytest.mark.parametrize("reason", ["RATE_LIMITED", "PRINTER_BUSY", "FILE_TOO_LARGE"])
def test_how_long_to_wait_is_said_by_whoever_refuses(reason: str) -> None:
    assert of_call(edges(grpc.StatusCode.RESOURCE_EXHAUSTED, reason, 6), URL).hint == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (bare(grpc.StatusCode.UNAVAILABLE), True),
        (edges(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"), True),
        (edges(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", 1), False),
        (edges(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"), True),
        (refused(Unavailable("No.", reason="DATABASE_UNAVAILABLE")), False),
        (refused(Internal("No.", reason="INTERNAL")), False),
        (edges(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), False),
    ],
    ids=lambda value: None,
)
def test_what_became_of_a_call_is_unknown_where_it_broke_off(error: grpc.aio.AioRpcError, told: bool) -> None:
    assert unknown(error) is told


def test_who_is_not_found_may_be_of_the_catalogue_or_made_up() -> None:
    hint = of_call(refused(NotFound("No.", reason="CHARACTER_NOT_FOUND")), URL).hint
    assert [command in hint for command in ("scenemesh search", "scenemesh characters list")] == [True, True]
