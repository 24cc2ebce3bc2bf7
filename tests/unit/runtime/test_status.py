from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details

from runtime.errors import Internal, InvalidArgument, MeshError, NotFound, QuotaExhausted, Unavailable, Violation
from runtime.status import VIOLATIONS_MAX, to_proto


def _unpacked(error: MeshError) -> list[Message]:
    kinds = (
        details.ErrorInfo,
        details.BadRequest,
        details.QuotaFailure,
        details.RetryInfo,
        details.RequestInfo,
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
