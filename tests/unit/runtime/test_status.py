import grpc
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2 as details

from runtime.errors import (
    Internal,
    InvalidArgument,
    MeshError,
    NotFound,
    Overloaded,
    QuotaExhausted,
    Unavailable,
    Violation,
)
from runtime.status import VIOLATIONS_MAX, detail, error_info, to_grpc, to_proto


def _unpacked(error: MeshError) -> list[Message]:
    kinds = (
        details.ErrorInfo,
        details.BadRequest,
        details.QuotaFailure,
        details.RetryInfo,
        details.RequestInfo,
        StringValue,
    )
    found: list[Message] = []
    for packed in to_proto(error, "r1").details:
        for kind in kinds:
            if packed.Is(kind.DESCRIPTOR):
                message = kind()
                packed.Unpack(message)
                found.append(message)
    return found


def test_an_error_tells_its_reason_and_the_request_id() -> None:
    assert _unpacked(NotFound("There is none.", reason="TITLE_NOT_FOUND", metadata={"title": "titles/x"})) == [
        details.ErrorInfo(reason="TITLE_NOT_FOUND", domain="scenemesh", metadata={"title": "titles/x"}),
        details.RequestInfo(request_id="r1"),
    ]


def test_a_defect_tells_the_request_id_and_nothing_else() -> None:
    status = to_proto(Internal("password is hunter2", reason="INTERNAL"), "r1")
    assert (status.code, status.message) == (13, "Something broke on our side. Tell us this request id: r1")
    assert "hunter2" not in str(status)


def test_an_empty_meter_carries_a_quota_failure() -> None:
    error = QuotaExhausted("All used.", subject="users/a/meters/chat", metadata={"meter": "chat"})
    assert _unpacked(error)[1] == details.QuotaFailure(
        violations=[details.QuotaFailure.Violation(subject="users/a/meters/chat", description="All used.")]
    )


def test_an_error_carries_what_it_was_given_before_the_request_id() -> None:
    error = QuotaExhausted("All used.", subject="users/a/meters/chat", metadata={}, details=[StringValue(value="why")])
    assert _unpacked(error)[2:] == [StringValue(value="why"), details.RequestInfo(request_id="r1")]


def test_too_much_work_says_when_to_come_back_to_people_and_to_grpc_clients() -> None:
    error = Overloaded("Too much.", reason="QUEUE_FULL", retry_after_seconds=0.25)
    retry = _unpacked(error)[1]
    assert isinstance(retry, details.RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 250
    assert ("grpc-retry-pushback-ms", "250") in to_grpc(error, "r1").trailing_metadata


def test_a_failed_call_gives_its_details_by_their_kind() -> None:
    error = _failed(NotFound("No.", reason="TITLE_NOT_FOUND", details=[StringValue(value="why")]))
    assert detail(error, StringValue) == StringValue(value="why")
    assert detail(error, details.RetryInfo) is None
    assert error_info(error).reason == "TITLE_NOT_FOUND"


def test_a_call_that_failed_without_details_has_none() -> None:
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone")
    assert (detail(error, StringValue), error_info(error)) == (None, details.ErrorInfo())


def _failed(error: MeshError) -> grpc.aio.AioRpcError:
    """How a client sees the error."""
    status = to_grpc(error, "r1")
    return grpc.aio.AioRpcError(
        status.code, grpc.aio.Metadata(), grpc.aio.Metadata(*status.trailing_metadata), status.details
    )


def test_something_that_is_down_says_when_to_come_back() -> None:
    retry = _unpacked(Unavailable("Down.", reason="DOWN", retry_after_seconds=1.5))[1]
    assert isinstance(retry, details.RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 1500


def test_a_thousand_faults_fit_the_wire() -> None:
    error = InvalidArgument("Bad.", violations=[Violation(f"f{index}", "is bad") for index in range(1000)])
    bad = _unpacked(error)[1]
    assert isinstance(bad, details.BadRequest)
    assert len(bad.field_violations) == VIOLATIONS_MAX
    assert len(to_proto(error, "r1").SerializeToString()) < 4096


def test_what_a_caller_sent_is_not_repeated_whole() -> None:
    long = "long " * 20_000
    error = InvalidArgument(f"update_mask: {long}", violations=[Violation("update_mask", long)])
    assert len(to_proto(error, "r1").SerializeToString()) < 2048
