from datetime import UTC, datetime

import pytest

from services.quota_svc.domain.exhausted import exhausted
from services.quota_svc.domain.meter import Figures, Meter, window
from services.quota_svc.domain.plan import Allowance, Period, Plan, PlanTable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

FREE = Plan("plans/free", "Free", {"chat": Allowance("chat", 5, Period.DAY)}, 1)
CREATOR = Plan("plans/creator", "Creator", {"chat": Allowance("chat", 50, Period.DAY)}, 1)
PRO = Plan(
    "plans/pro",
    "Pro",
    {"chat": Allowance("chat", None, Period.DAY), "image_generation": Allowance("image_generation", 5, Period.MONTH)},
    1,
)
TABLE = PlanTable([FREE, CREATOR, PRO])


def meter(plan: Plan, name: str, figures: Figures) -> Meter:
    allowance = plan.allowances.get(name)
    return Meter(name, allowance, window(allowance, NOW), figures)


@pytest.mark.parametrize(
    ("plan", "name", "figures", "message"),
    [
        (
            FREE,
            "chat",
            Figures(used=5),
            (
                "All 5 chat turns of today are used. "
                "They start anew at 2026-11-22T00:00:00Z; the Creator plan has 50 a day."
            ),
        ),
        (
            CREATOR,
            "chat",
            Figures(used=48, held_from_allowance=2),
            (
                "All 50 chat turns of today are used or held by work in progress. "
                "They start anew at 2026-11-22T00:00:00Z; the Pro plan has no limit."
            ),
        ),
        (
            PRO,
            "image_generation",
            Figures(used=4),
            (
                "This needs 3 image generation units and 1 of the 5 of this month can still be used. "
                "They start anew at 2026-12-01T00:00:00Z."
            ),
        ),
        (
            FREE,
            "image_generation",
            Figures(),
            "The Free plan has no image generation units: its limit is 0. The Pro plan has 5 a month.",
        ),
        (PRO, "video", Figures(), "The Pro plan has no video units: its limit is 0."),
        (
            PRO,
            "video",
            Figures(granted=2, held_from_grants=2),
            "All 2 video units are used or held by work in progress.",
        ),
    ],
)
def test_the_refusal_says_why_until_when_and_what_would_help(
    plan: Plan, name: str, figures: Figures, message: str
) -> None:
    assert exhausted("ann", plan, meter(plan, name, figures), 3, TABLE).message == message


def test_the_refusal_carries_the_figures() -> None:
    error = exhausted("ann", FREE, meter(FREE, "chat", Figures(used=3, held_from_allowance=2)), 1, TABLE)
    assert (error.reason, error.subject, error.metadata) == (
        "QUOTA_EXHAUSTED",
        "users/ann/meters/chat",
        {
            "meter": "chat",
            "limit": "5",
            "used": "3",
            "held": "2",
            "plan": "plans/free",
            "reset_time": "2026-11-22T00:00:00Z",
        },
    )


def test_the_refusal_on_a_meter_that_never_starts_anew_says_no_time() -> None:
    error = exhausted("ann", FREE, meter(FREE, "video", Figures()), 1, TABLE)
    assert error.metadata == {"meter": "video", "limit": "0", "used": "0", "held": "0", "plan": "plans/free"}
