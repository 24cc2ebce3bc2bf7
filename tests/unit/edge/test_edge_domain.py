from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge.domain import Meter, admit
from runtime.errors import QuotaExhausted

RESET = datetime(2026, 11, 22, tzinfo=UTC)
SPENT = Meter("chat", unlimited=False, limit=5, used=4, held=1, remaining=0, reset_time=RESET)


@pytest.mark.parametrize("meter", [replace(SPENT, remaining=1), replace(SPENT, unlimited=True)])
def test_credit_left_and_no_limit_let_a_call_through(meter: Meter) -> None:
    admit("ada", "plans/free", meter, "chat")


def test_an_empty_meter_says_what_is_used_and_when_it_starts_anew() -> None:
    with pytest.raises(QuotaExhausted) as caught:
        admit("ada", "plans/free", SPENT, "chat")
    error = caught.value
    assert error.message == (
        "What is left of your chat allowance (4 of 5 used) is held by work in progress. "
        "It starts anew at 2026-11-22T00:00:00Z; a larger plan has more: GET /v1/plans."
    )
    assert (error.subject, error.metadata) == (
        "users/ada/meters/chat",
        {
            "meter": "chat",
            "limit": "5",
            "used": "4",
            "held": "1",
            "plan": "plans/free",
            "reset_time": "2026-11-22T00:00:00Z",
        },
    )


def test_an_allowance_that_never_starts_anew_promises_no_time() -> None:
    with pytest.raises(QuotaExhausted) as caught:
        admit("ada", "plans/free", replace(SPENT, used=5, held=0, reset_time=None), "chat")
    assert caught.value.message == (
        "You have used all of your chat allowance (5 of 5). A larger plan has more: GET /v1/plans."
    )
    assert "reset_time" not in caught.value.metadata


def test_a_meter_that_the_plan_lacks_is_empty() -> None:
    with pytest.raises(QuotaExhausted, match=r"Your plan has no video allowance\."):
        admit("ada", "plans/free", None, "video")
