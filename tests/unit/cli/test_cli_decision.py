from cli.decision import left, refusal, resets, unlocks
from scenemesh.quota.v1 import quota_pb2

CREATOR = quota_pb2.Unlock(plan="plans/creator", display_name="Crea\x1btor", amount=100, period="3 hours")
MAX = quota_pb2.Unlock(plan="plans/max", display_name="Max", unlimited=True, period="day")
REFUSED = quota_pb2.Decision(
    remaining=0,
    local_reset_time="2026-11-22T01:00:00+01:00",
    outcome=quota_pb2.OUTCOME_REFUSED,
    unlocks=[CREATOR, MAX],
    message="All are used.",
)
ADMITTED = quota_pb2.Decision(unlimited=True, outcome=quota_pb2.OUTCOME_ADMITTED)


def test_a_meter_says_what_is_left_and_when_it_starts_anew() -> None:
    assert [(left(one), resets(one)) for one in (REFUSED, ADMITTED)] == [
        ("0", "2026-11-22 01:00"),
        ("unlimited", "never"),
    ]


def test_a_refusal_is_a_sentence_and_the_plans_that_unlock_it() -> None:
    plans = ["  Creator: 100 per 3 hours (plans/creator)", "  Max: no limit (plans/max)"]
    assert (refusal(REFUSED), unlocks(REFUSED)) == (["All are used.", *plans], plans)
    assert refusal(ADMITTED) == []


def test_a_shadow_refusal_says_that_it_stops_nobody() -> None:
    shadow = quota_pb2.Decision(outcome=quota_pb2.OUTCOME_REFUSED, shadow=True, message="All are used.")
    assert refusal(shadow) == ["All are used.", "The use goes on all the same."]
