import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.fault import (
    ContextTooLong,
    Cut,
    ModelFault,
    NotLetIn,
    Overloaded,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
)
from services.chat_svc.domain.health import (
    EXPECTED,
    FAILURES_MAX,
    HALF_LIFE_SECONDS,
    NOT_LET_IN_REST_SECONDS,
    PROBE_SECONDS,
    RATE_LIMITED_REST_SECONDS,
    REST_SECONDS,
    REST_SECONDS_MAX,
    TOLD_REST_SECONDS_MAX,
    Asking,
    Health,
    Speed,
    Standing,
)

NOW = 1_000.0
SLOW = Speed(11.0, 10.0)


def resting(fault: ModelFault | None = None, now: float = NOW) -> Health:
    """A model that failed until it came to rest."""
    health = Health()
    for _ in range(1 if fault else FAILURES_MAX):
        health.failed(health.asked(now), fault or Cut("cut"), now)
    return health


def failed_probe(health: Health, now: float) -> float:
    """Seconds that a model rests after a probe failed."""
    health.failed(health.asked(now), Cut("cut"), now)
    return health.rests_for(now)


def test_a_model_that_nobody_has_asked_is_asked() -> None:
    health = Health()
    assert (health.standing(NOW), health.admits(NOW), health.rests_for(NOW)) == (Standing.CLOSED, True, 0.0)


def test_failures_in_a_row_bring_it_to_rest() -> None:
    health = Health()
    for number in range(1, FAILURES_MAX + 1):
        assert health.standing(NOW) is Standing.CLOSED
        health.failed(health.asked(NOW), Cut("cut"), NOW)
        assert health.failures == number
    assert (health.standing(NOW), health.admits(NOW), health.rests_for(NOW)) == (Standing.OPEN, False, REST_SECONDS)


def test_an_answer_in_between_ends_the_row() -> None:
    health = Health()
    for _ in range(10):
        for _ in range(FAILURES_MAX - 1):
            health.failed(health.asked(NOW), Cut("cut"), NOW)
        health.answered(health.asked(NOW), None, NOW)
    assert (health.standing(NOW), health.answers, health.failures) == (Standing.CLOSED, 10, 10 * (FAILURES_MAX - 1))


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (RateLimited("slow down", retry_after_seconds=17.0), 17.0),
        (RateLimited("slow down", retry_after_seconds=3_600.0), 3_600.0),
        (Overloaded("HTTP 503", retry_after_seconds=17.0), 17.0),
        (RateLimited("slow down", retry_after_seconds=86_400.0), TOLD_REST_SECONDS_MAX),
        (RateLimited("slow down"), RATE_LIMITED_REST_SECONDS),
        (NotLetIn("HTTP 401"), NOT_LET_IN_REST_SECONDS),
    ],
)
def test_one_that_is_told_to_wait_or_not_let_in_rests_at_once(fault: ModelFault, seconds: float) -> None:
    assert resting(fault).rests_for(NOW) == seconds


def test_one_that_is_told_to_come_back_at_once_does() -> None:
    for seconds in (0.0, -3.0):
        health = resting(RateLimited("slow down", retry_after_seconds=seconds))
        assert (health.standing(NOW), health.admits(NOW)) == (Standing.HALF_OPEN, True)


@pytest.mark.parametrize("told_seconds", [0.0, 0.0625])
def test_one_that_fails_on_and_on_rests_however_soon_it_wants_to_be_asked_again(told_seconds: float) -> None:
    health, now, rests = Health(), NOW, []
    for _ in range(7):
        health.failed(health.asked(now), ServerFailed("HTTP 503", retry_after_seconds=told_seconds), now)
        rests.append(health.rests_for(now))
        now += rests[-1]
    assert rests == [told_seconds, 5.0, 10.0, 20.0, 40.0, 80.0, 120.0]


def test_a_row_of_failures_brings_it_to_rest_though_the_last_tells_a_shorter_time() -> None:
    health = Health()
    for _ in range(FAILURES_MAX - 1):
        health.failed(health.asked(NOW), Cut("cut"), NOW)
    health.failed(health.asked(NOW), Overloaded("HTTP 529", retry_after_seconds=1.0), NOW)
    assert health.rests_for(NOW) == REST_SECONDS
    assert [health.admits_alone(NOW + passed) for passed in (0.5, 1)] == [False, True]


def test_of_a_told_rest_and_its_own_the_longer_one_counts() -> None:
    health, now, rests = Health(), NOW, []
    for _ in range(5):
        health.failed(health.asked(now), ServerFailed("HTTP 503", retry_after_seconds=17.0), now)
        rests.append(health.rests_for(now))
        now += rests[-1]
    assert rests == [17.0, 17.0, 17.0, 20.0, 40.0]


def test_a_rate_limit_rests_as_long_as_it_tells_however_often() -> None:
    health, now, rests = Health(), NOW, []
    for _ in range(5):
        health.failed(health.asked(now), RateLimited("slow down", retry_after_seconds=1.0), now)
        rests.append(health.rests_for(now))
        now += rests[-1]
    assert rests == [1.0] * 5


def test_one_that_lets_nobody_in_and_tells_how_long_is_asked_by_nobody_until_then() -> None:
    health = resting(NotLetIn("HTTP 403", retry_after_seconds=1_000.0))
    assert (health.rests_for(NOW), health.admits_alone(NOW + 999), health.admits_alone(NOW + 1_000)) == (
        1_000.0,
        False,
        True,
    )


@pytest.mark.parametrize("fault", [Refused("no"), Rejected("HTTP 400"), ContextTooLong("too long")])
def test_what_the_message_is_to_blame_for_is_not_counted(fault: ModelFault) -> None:
    health = Health()
    for _ in range(10):
        health.failed(health.asked(NOW), fault, NOW)
    assert (health.standing(NOW), health.failures, health.failing(NOW)) == (Standing.CLOSED, 0, 0.0)


def test_after_its_rest_one_probe_is_admitted() -> None:
    health, now = resting(), NOW + REST_SECONDS
    assert (health.standing(now), health.admits(now)) == (Standing.HALF_OPEN, True)
    assert health.asked(now) == Asking(now, probe=True)
    assert not health.admits(now)
    assert not health.admits(now + PROBE_SECONDS - 0.1)


def test_who_asks_beside_the_probe_is_no_probe() -> None:
    health, now = resting(), NOW + REST_SECONDS
    health.asked(now)
    beside = health.asked(now + 1)
    assert beside == Asking(now + 1, probe=False)
    health.left(beside)
    assert not health.admits(now + 1)


def test_a_probe_that_answers_wakes_it() -> None:
    health, now = resting(), NOW + REST_SECONDS
    health.answered(health.asked(now), None, now)
    assert (health.standing(now), health.admits(now), health.rests_for(now)) == (Standing.CLOSED, True, 0.0)
    assert resting().rests_for(NOW) == REST_SECONDS


def test_each_probe_that_fails_doubles_the_rest_up_to_a_limit() -> None:
    health, now, rests = resting(), NOW, []
    for _ in range(6):
        now += health.rests_for(now)
        rests.append(failed_probe(health, now))
    assert rests == [10.0, 20.0, 40.0, 80.0, 120.0, 120.0]


def test_a_model_that_fails_for_days_is_still_probed() -> None:
    health, now = resting(), NOW
    for _ in range(2_000):
        now += health.rests_for(now)
        assert health.admits(now)
        assert failed_probe(health, now) <= REST_SECONDS_MAX


def test_rate_limits_that_tell_no_time_double_too() -> None:
    health, now, rests = resting(RateLimited("slow down")), NOW, []
    for _ in range(3):
        now += health.rests_for(now)
        health.failed(health.asked(now), RateLimited("slow down"), now)
        rests.append(health.rests_for(now))
    assert rests == [4.0, 8.0, 16.0]


def test_a_probe_that_was_left_makes_room_for_another() -> None:
    health, now = resting(), NOW + REST_SECONDS
    health.left(health.asked(now))
    assert health.admits(now)


def test_a_probe_that_learns_nothing_makes_room_for_another() -> None:
    health, now = resting(), NOW + REST_SECONDS
    health.failed(health.asked(now), Refused("no"), now)
    assert (health.standing(now), health.admits(now)) == (Standing.HALF_OPEN, True)


def test_a_probe_that_nobody_reports_back_from_was_given_up() -> None:
    health, now = resting(), NOW + REST_SECONDS
    given_up = health.asked(now)
    now += PROBE_SECONDS
    assert health.admits(now)
    health.asked(now)
    health.left(given_up)
    assert not health.admits(now)


def test_those_who_leave_take_nobody_elses_probe_along() -> None:
    health = Health()
    early = health.asked(NOW - 1)
    for _ in range(FAILURES_MAX):
        health.failed(health.asked(NOW), Cut("cut"), NOW)
    now = NOW + REST_SECONDS
    health.asked(now)
    health.left(early)
    assert not health.admits(now)


def test_a_burst_of_failures_is_one_reason_to_rest() -> None:
    health = Health()
    together = [health.asked(NOW) for _ in range(50)]
    for asking in together:
        health.failed(asking, ServerFailed("HTTP 500"), NOW + 1)
    assert (health.failures, health.rests_for(NOW + 1)) == (50, REST_SECONDS)


def test_what_began_before_the_rest_is_in_no_row() -> None:
    health = Health()
    early = [health.asked(NOW - 30) for _ in range(5)]
    health.failed(health.asked(NOW), RateLimited("slow down", retry_after_seconds=10.0), NOW)
    for asking in early:
        health.failed(asking, Cut("cut"), NOW + 1)
    health.failed(health.asked(NOW + 2), Cut("cut"), NOW + 2)
    assert (health.failures, health.rests_for(NOW + 2)) == (7, 8.0)


def test_what_began_before_the_rest_fails_no_probe() -> None:
    health = Health()
    early = health.asked(NOW - 30)
    for _ in range(FAILURES_MAX):
        health.failed(health.asked(NOW), Cut("cut"), NOW)
    now = NOW + REST_SECONDS
    probe = health.asked(now)
    health.failed(early, Cut("cut"), now + 1)
    assert (health.standing(now + 1), health.admits(now + 1)) == (Standing.HALF_OPEN, False)
    health.answered(probe, None, now + 2)
    assert health.standing(now + 2) is Standing.CLOSED


def test_what_began_before_the_rest_wakes_nobody() -> None:
    health = Health()
    early = health.asked(NOW - 30)
    health.failed(health.asked(NOW), RateLimited("slow down", retry_after_seconds=60.0), NOW)
    health.answered(early, None, NOW + 10)
    assert (health.answers, health.rests_for(NOW + 10)) == (1, 50.0)


def test_one_that_was_asked_after_all_is_awake_when_it_answers() -> None:
    health = resting()
    asking = health.asked(NOW + 1)
    assert asking == Asking(NOW + 1, probe=True)
    health.answered(asking, None, NOW + 2)
    assert health.standing(NOW + 2) is Standing.CLOSED


def test_where_nobody_else_is_left_one_at_a_time_asks_it_while_it_rests() -> None:
    health = resting()
    assert (health.admits(NOW + 1), health.admits_alone(NOW + 1)) == (False, True)
    probe = health.asked(NOW + 1)
    assert (health.admits_alone(NOW + 1), health.asked(NOW + 1)) == (False, Asking(NOW + 1, probe=False))
    health.failed(probe, Cut("cut"), NOW + 2)
    assert (health.admits_alone(NOW + 2), health.rests_for(NOW + 2)) == (True, 2 * REST_SECONDS)


def test_one_that_tells_how_long_to_wait_is_asked_by_nobody_until_then() -> None:
    health = resting(RateLimited("slow down", retry_after_seconds=30.0))
    health.failed(health.asked(NOW), Cut("cut"), NOW + 1)
    assert [health.admits_alone(NOW + passed) for passed in (1, 29.9, 30)] == [False, False, True]
    health.answered(health.asked(NOW + 30), None, NOW + 31)
    assert (health.standing(NOW + 31), health.admits_alone(NOW + 31)) == (Standing.CLOSED, True)


def test_a_shorter_rest_does_not_end_a_longer_one() -> None:
    health = resting(NotLetIn("HTTP 401"))
    health.failed(health.asked(NOW + 1), RateLimited("slow down", retry_after_seconds=1.0), NOW + 1)
    assert health.rests_for(NOW + 1) == NOT_LET_IN_REST_SECONDS - 1


def test_speed_is_the_newest_measurement_and_most_of_those_before() -> None:
    health = Health()
    assert (health.speed, health.expected(NOW)) == (None, EXPECTED)
    health.answered(health.asked(NOW), Speed(2.0, 100.0), NOW)
    assert health.speed == health.expected(NOW) == Speed(2.0, 100.0)
    health.answered(health.asked(NOW), Speed(1.0, 50.0), NOW)
    assert health.speed == Speed(1.8, 90.0)
    health.answered(health.asked(NOW), None, NOW)
    assert health.speed == Speed(1.8, 90.0)


def test_what_was_measured_long_ago_says_less_and_less() -> None:
    health = Health()
    health.answered(health.asked(NOW), SLOW, NOW)
    assert health.expected(NOW + HALF_LIFE_SECONDS) == Speed(6.0, 30.0)
    later = health.expected(NOW + 100 * HALF_LIFE_SECONDS)
    assert math.isclose(later.first_word_seconds, EXPECTED.first_word_seconds, rel_tol=1e-9)
    assert math.isclose(later.tokens_per_second, EXPECTED.tokens_per_second, rel_tol=1e-9)
    assert health.speed == SLOW


def test_failures_are_forgotten() -> None:
    health = Health()
    health.failed(health.asked(NOW), Overloaded("HTTP 529"), NOW)
    assert (health.failing(NOW), health.failing(NOW + HALF_LIFE_SECONDS)) == (0.2, 0.1)
    health.answered(health.asked(NOW), None, NOW)
    assert math.isclose(health.failing(NOW), 0.16)


FAULTS = st.sampled_from(
    [
        Cut("cut"),
        NotLetIn("401"),
        RateLimited("429"),
        RateLimited("429", retry_after_seconds=9.0),
        ServerFailed("503", retry_after_seconds=0.0),
        Refused("no"),
    ]
)
# Sums and differences of these are exact.
SECONDS = st.integers(0, 400 * 1024).map(lambda parts: parts / 1024)
STEPS = st.lists(
    st.tuples(st.sampled_from(["asked", "answered", "failed", "left"]), FAULTS, SECONDS, st.integers(0, 9)),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_one_probe_at_most_is_under_way_and_every_rest_ends(
    steps: list[tuple[str, ModelFault, float, int]],
) -> None:
    health, now, open_ones = Health(), NOW, list[Asking]()
    for what, fault, seconds, which in steps:
        now += seconds
        if what == "asked":
            if health.admits(now):
                open_ones.append(health.asked(now))
        elif open_ones:
            asking = open_ones.pop(which % len(open_ones))
            match what:
                case "answered":
                    health.answered(asking, SLOW, now)
                case "failed":
                    health.failed(asking, fault, now)
                case _:
                    health.left(asking)
        probes = [one for one in open_ones if one.probe and now - one.at < PROBE_SECONDS]
        if health.standing(now) is Standing.HALF_OPEN:
            assert len(probes) <= 1
            assert health.admits(now) is not bool(probes)
        assert health.rests_for(now) <= max(REST_SECONDS_MAX, NOT_LET_IN_REST_SECONDS)
        assert 0.0 <= health.failing(now) <= 1.0
    assert health.admits(now + NOT_LET_IN_REST_SECONDS + PROBE_SECONDS)


@given(st.integers(FAILURES_MAX, 200), st.floats(0, 0.01))
def test_a_model_that_fails_often_enough_rests(failures: int, apart_seconds: float) -> None:
    health, now = Health(), NOW
    for _ in range(failures):
        now += apart_seconds
        health.failed(health.asked(now), Cut("cut"), now)
    assert not health.admits(now)
