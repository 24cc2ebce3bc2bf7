from services.search_svc.sources.jikan.connection import LIMITS
from services.search_svc.sources.tmdb.connection import API_LIMITS


def test_tmdb_is_asked_less_than_forty_times_in_any_second() -> None:
    assert API_LIMITS.calls_per_second + API_LIMITS.burst < 40


def test_jikan_is_asked_at_most_three_times_in_any_second_and_sixty_times_in_any_minute() -> None:
    assert int(LIMITS.calls_per_second + LIMITS.burst) == 3
    assert LIMITS.calls_per_second * 60 + LIMITS.burst <= 60
