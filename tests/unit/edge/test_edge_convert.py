from google.protobuf.timestamp_pb2 import Timestamp

from edge.convert import refusal
from scenemesh.quota.v1 import quota_pb2

SPENT = quota_pb2.Decision(
    meter="chat",
    limit=5,
    used=4,
    held=1,
    reset_time=Timestamp(seconds=1_795_305_600),
    outcome=quota_pb2.OUTCOME_REFUSED,
    reason=quota_pb2.REASON_LIMIT_REACHED,
    plan="plans/free",
    message="All 5 turns of today are used or held by work in progress.",
)


def test_a_refusal_says_what_the_decision_says_and_carries_it() -> None:
    error = refusal("ada", SPENT)
    assert (error.message, error.subject, error.details) == (SPENT.message, "users/ada/meters/chat", (SPENT,))
    assert error.metadata == {
        "meter": "chat",
        "limit": "5",
        "used": "4",
        "held": "1",
        "plan": "plans/free",
        "reset_time": "2026-11-22T00:00:00Z",
    }


def test_an_allowance_that_never_starts_anew_promises_no_time() -> None:
    assert "reset_time" not in refusal("ada", quota_pb2.Decision(meter="video")).metadata
